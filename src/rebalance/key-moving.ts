/** Moving keys, as the ring asks for it: by connections of this proxy's own, named so that they can be told. */
import { type Pass, type ProxyStanding, passFor } from '../node/standing.js';
import type { Rings } from '../ring/rings.js';
import type { MoverRight } from './connections.js';
import { publishKeysMoved } from './events.js';
import { Mover, type MoverOptions } from './mover.js';
import { moverPass } from './mover-pass.js';
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
  readonly onMoved: (keys: number, bytes: number) => void;
  /** The sweep has stopped because of a failure. */
  readonly onFailure: () => void;
}

/** What a mover starts from. */
export interface StartOf<Node>
  extends Pick<MoverOptions, 'rings' | 'source' | 'runIds' | 'memory' | 'looks' | 'turns' | 'sweeping'> {
  /** Index-aligned with those of `rings`. */
  readonly nodes: readonly Node[];
  /** By which right it moves: what its connections are told by. */
  readonly right: MoverRight;
  /** Whether that is in force: a read that cannot be stale; null: no answer. */
  readonly isInForce: () => Promise<boolean | null>;
}
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

  /** Looks for the largest keys that would move. @param nodes index-aligned with those of `rings` @param skipped some of them, which are not asked */
  survey(nodes: readonly Node[], rings: Rings, skipped: readonly Node[]): Promise<Survey> {
    const reached = nodes.map((node) => (skipped.includes(node) ? null : this.#options.reach(node)));
    return surveyMoves(reached, rings, this.#link, SURVEY_MS);
  }

  createMover({ nodes, right, isInForce, ...start }: StartOf<Node>, callbacks: Callbacks): Mover {
    const { standing, reach, isBusy, onMoved, onFailure } = this.#options;
    const pass = (): Pass => moverPass(standing, right, isInForce);
    return new Mover({
      ...start,
      nodes: nodes.map(reach),
      isBusy,
      link: {
        ...{ ...this.#link, pass, onFirstSeen: callbacks.onFirstSeen },
        reachAnew: (index) => reach(nodes[index] as Node),
      },
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
