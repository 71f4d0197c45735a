/** Moving keys, as the ring asks for it: by connections of this proxy's own, named so that they can be told. */
import { type ProxyStanding, passFor } from '../node/standing.js';
import type { Rings } from '../ring/rings.js';
import { publishKeysMoved } from './events.js';
import { Mover, type MoverOptions } from './mover.js';
import type { MoverNode, MovingNodesOptions } from './moving-nodes.js';
import { NodeLink } from './node-link.js';
import { type Survey, surveyMoves } from './survey.js';

/**
 * How long a node may take to answer a batch of moves: more than Redis' `busy-reply-threshold`, from which on a node
 * that runs a script says so.
 */
const TIMEOUT_MS = 7000;
/** How long a dry run looks for large keys. */
const SURVEY_MS = 3000;

export interface KeyMovingOptions<Node> {
  readonly standing: ProxyStanding;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Where a node is, how to log in there, and where other nodes find it. */
  readonly reach: (node: Node) => MoverNode;
  /** Whether clients are being served. */
  readonly isBusy: () => boolean;
  /** A source has no moved key left. */
  readonly onSourceSwept: (source: number) => void;
  readonly onMoved: (keys: number, bytes: number) => void;
  /** The sweep has stopped because of a failure. */
  readonly onFailure: () => void;
}

/** What a mover starts from. */
type Start = Pick<MoverOptions, 'runIds' | 'earlier' | 'resumed'>;
/** What it tells. */
type Callbacks = Pick<MoverOptions, 'onFailure' | 'onSwept' | 'onDropped' | 'onMoved'> &
  Pick<MovingNodesOptions, 'onFirstSeen'>;

export class KeyMoving<Node> {
  readonly #options: KeyMovingOptions<Node>;
  readonly #link: Omit<MovingNodesOptions, 'onFirstSeen'>;

  constructor(options: KeyMovingOptions<Node>) {
    const { standing, connectTimeout } = options;
    this.#options = options;
    this.#link = { pass: () => passFor(standing, 'move'), connectTimeout, timeout: TIMEOUT_MS };
  }

  /** A connection to a node, for looking at its keys. @throws NodeFailure */
  open(node: Node): Promise<NodeLink> {
    return NodeLink.open(this.#options.reach(node), { ...this.#link, onLate: () => {} });
  }

  /** Looks for the largest keys that would move. @param nodes index-aligned with those of `rings` @throws NodeFailure */
  survey(nodes: readonly Node[], rings: Rings): Promise<Survey> {
    return surveyMoves(nodes.map(this.#options.reach), rings, this.#link, SURVEY_MS);
  }

  /** @param nodes index-aligned with those of `rings` */
  createMover(nodes: readonly Node[], rings: Rings, start: Start, callbacks: Callbacks): Mover {
    const { reach, isBusy, onSourceSwept, onMoved, onFailure } = this.#options;
    return new Mover({
      nodes: nodes.map(reach),
      rings,
      ...start,
      isBusy,
      link: { ...this.#link, onFirstSeen: callbacks.onFirstSeen },
      onSourceSwept,
      onSwept: callbacks.onSwept,
      onDropped: callbacks.onDropped,
      onMoved: (source, target, keys, bytes) => {
        callbacks.onMoved(source, target, keys, bytes);
        onMoved(keys, bytes);
        publishKeysMoved(source, target, keys, bytes);
      },
      onFailure: (message) => {
        callbacks.onFailure(message);
        onFailure();
      },
    });
  }
}
