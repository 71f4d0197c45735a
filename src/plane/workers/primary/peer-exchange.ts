/** In the primary: what workers ask and tell each other on behalf of their clients goes by this process. */
import { subscribedElsewhere } from '../../../proxy/features/pubsub/other-counts.js';
import type { FleetSubscribers } from '../../../proxy/peers/fleet.js';
import type { PeerAnswer, PeerNews, SubscribedQuestion } from '../../../proxy/peers/peers.js';
import type { Timers } from '../../../time/timers.js';
import type { BoundedNews } from '../bounded-news.js';
import type { FromWorker, ToWorker } from '../messages.js';
import { Questions } from '../questions.js';

/** A worker, as it asks and is asked. */
export interface Peer {
  /** It has begun to serve, and can answer. */
  readonly started: boolean;
  readonly news: Pick<BoundedNews, 'send'>;
  send(message: ToWorker): void;
}

export class PeerExchange {
  readonly #workers: Iterable<Peer>;
  readonly #fleet: FleetSubscribers | null;
  readonly #questions: Questions<PeerAnswer | null>;

  /** @param workers those that live @param fleet what other proxies have told; null: this one is alone */
  constructor(workers: Iterable<Peer>, timers: Timers, fleet: FleetSubscribers | null) {
    this.#workers = workers;
    this.#fleet = fleet;
    this.#questions = new Questions<PeerAnswer | null>(null, timers);
  }

  /** Asks all others, and answers when they have. One that is stalled, or dies, is not waited for: its answer is null. */
  async onQuestion(asker: Peer, { question, body }: FromWorker<'peer-question'>): Promise<void> {
    const others = [...this.#others(asker)].filter(({ started }) => started);
    const answers: (PeerAnswer | null)[] = await Promise.all(
      others.map((other) => this.#questions.ask((asked) => other.send({ type: 'peer-asked', question: asked, body }))),
    );
    if (body.type === 'subscribed' && this.#fleet !== null) answers.push(fleetAnswer(this.#fleet, body.about));
    asker.send({ type: 'peer-answers', question, answers });
  }

  onAnswer({ question, answer }: FromWorker<'peer-answer'>): void {
    this.#questions.answer(question, answer);
  }

  tellOthers(from: Peer, news: PeerNews): void {
    for (const other of this.#others(from)) other.news.send(news);
  }

  *#others(worker: Peer): Generator<Peer> {
    for (const other of this.#workers) if (other !== worker) yield other;
  }
}

function fleetAnswer(fleet: FleetSubscribers, about: readonly SubscribedQuestion[]): PeerAnswer {
  return { fleet: about.map((question) => subscribedElsewhere(fleet, question)) };
}
