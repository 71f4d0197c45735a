/** Asks for the admin token, where the proxy wants one. */
import type { ApiClient } from './api-client.js';
import { byId, setText } from './dom.js';

export class TokenDialog {
  readonly #dialog = byId('token', HTMLDialogElement);
  readonly #input = byId('token-input', HTMLInputElement);
  readonly #text = byId('token-text', HTMLElement);
  readonly #open = byId('token-open', HTMLButtonElement);
  readonly #api: ApiClient;

  constructor(api: ApiClient, onToken: () => void) {
    this.#api = api;
    this.#open.hidden = !api.hasToken;
    this.#open.addEventListener('click', () => this.#dialog.showModal());
    byId('token-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      api.setToken(this.#input.value);
      this.#input.value = '';
      this.#open.hidden = false;
      this.#dialog.close();
      onToken();
    });
  }

  /** The proxy did not take what it was given. */
  ask(): void {
    if (this.#dialog.open) return;
    // Who closes the dialog finds the way back to it here.
    this.#open.hidden = false;
    setText(this.#text, this.#api.hasToken ? 'That token was not accepted.' : '');
    this.#dialog.showModal();
  }

  get open(): boolean {
    return this.#dialog.open;
  }
}
