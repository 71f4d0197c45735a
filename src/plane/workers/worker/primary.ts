/** In a worker: the primary, as the data plane sees it. By it go questions to other workers, news, and scripts. */
import type { Ruling } from '../../../node/standing.js';
import type { DataPlaneHooks } from '../../../proxy/data-plane.js';
import type { PeerAnswer } from '../../../proxy/peers/peers.js';
import type { Timers } from '../../../time/timers.js';
import { BoundedNews } from '../bounded-news.js';
import { bytesOf, type FromWorker, type ToWorker } from '../messages.js';
import { Questions } from '../questions.js';

/** @param onSent called when the message is on its way */
export type SendToPrimary = (message: FromWorker, onSent?: () => void) => void;

export class Primary {
  readonly #send: SendToPrimary;
  readonly #scripts: Questions<Buffer | null>;
  readonly #returns: Questions<void>;
  readonly #rulings: Questions<Ruling>;
  readonly #peers: Questions<readonly (PeerAnswer | null)[]>;
  readonly #news: BoundedNews;

  constructor(send: SendToPrimary, timers: Timers) {
    this.#send = send;
    this.#scripts = new Questions<Buffer | null>(null, timers);
    this.#returns = new Questions<void>(undefined, timers);
    this.#rulings = new Questions<Ruling>('unsure', timers);
    this.#peers = new Questions<readonly (PeerAnswer | null)[]>([null], timers);
    this.#news = new BoundedNews((news, onSent) => send({ type: 'peer-news', news }, onSent));
  }

  /** What the data plane asks of the rest of the proxy, and tells it. */
  get hooks(): Pick<DataPlaneHooks, 'peers' | 'scriptPeers' | 'onBusy' | 'beforeReturn'> {
    const send = this.#send;
    return {
      peers: {
        ask: (body) => this.#peers.ask((question) => send({ type: 'peer-question', question, body })),
        tell: (news) => this.#news.send(news),
      },
      scriptPeers: {
        learned: (body) => send({ type: 'learned', body }),
        ask: (digest, onAnswer) => {
          void this.#scripts.ask((question) => send({ type: 'script-wanted', question, digest })).then(onAnswer);
        },
        flushed: () => send({ type: 'scripts-flushed' }),
      },
      onBusy: (name, address, reply) => send({ type: 'busy', name, address, reply }),
      beforeReturn: ({ name, address }) =>
        this.#returns.ask((question) => send({ type: 'returned', question, node: { name, address } })),
    };
  }

  /** Whether connections that bear this id of the proxy may speak to nodes. */
  askStanding(proxy: string): Promise<Ruling> {
    return this.#rulings.ask((question) => this.#send({ type: 'standing-asked', question, proxy }));
  }

  onRuled({ question, ruling }: ToWorker<'ruled'>): void {
    this.#rulings.answer(question, ruling);
  }

  onScript({ question, body }: ToWorker<'script'>): void {
    this.#scripts.answer(question, body === null ? null : bytesOf(body));
  }

  onPeerAnswers({ question, answers }: ToWorker<'peer-answers'>): void {
    this.#peers.answer(question, answers);
  }

  onServes({ question }: ToWorker<'serves'>): void {
    this.#returns.answer(question);
  }
}
