/** Asks for the admin token, where the proxy wants one. */
import type { ApiClient } from './api-client.js';
import { byId, setText } from './dom.js';

export class TokenDialog {
  readonly #dialog = byId('token', HTMLDialogElement);
  readonly #input = byId('token-input', HTMLInputElement);
  readonly #text = byId('token-text', HTMLElement);
  readonly #open = byId('token-open', HTMLButtonElement);
  readonly #api: ApiClient;
  /** The proxy did not answer for want of the right token, and has got no other since. */
  #refused = false;

  constructor(api: ApiClient, onToken: () => void) {
    this.#api = api;
    this.#open.hidden = !api.hasToken;
    this.#open.addEventListener('click', () => this.#show());
    byId('token-no', HTMLButtonElement).addEventListener('click', () => this.#dialog.close());
    byId('token-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      api.setToken(this.#input.value);
      this.#input.value = '';
      this.#open.hidden = false;
      this.#refused = false;
      this.#dialog.close();
      onToken();
    });
  }

  /** The proxy did not take what it was given. */
  ask(): void {
    this.#refused = true;
    // Who closes the dialog finds the way back to it here.
    this.#open.hidden = false;
    if (this.#dialog.open) return;
    this.#show();
  }

  /** Whether it makes no sense to ask the proxy for anything. */
  get wanted(): boolean {
    return this.#refused;
  }

  #show(): void {
    setText(this.#text, this.#refused && this.#api.hasToken ? 'That token was not accepted.' : '');
    this.#dialog.showModal();
  }
}
