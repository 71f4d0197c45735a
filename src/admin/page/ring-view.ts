/**
 * The ring as a drawing, from the outside in: where a key is (a mark), the arcs of the virtual nodes in their owners'
 * colours, what changes hands in the colour of the node that gets it, and each node's share as a whole.
 */
import type { ArcsView, ChangeView, NodeView, RingView, WhichView } from '../api.js';
import { nodeColor } from './colors.js';
import { byId, el, setText, svg } from './dom.js';
import { formatCount } from './format.js';
import { HASH_SPACE, pointAt, sectorPath } from './geometry.js';
import { isDown } from './problems.js';

/** Radii of the drawing, whose width is 400. */
const ARCS = { inner: 142, outer: 184 };
const TARGETS = { inner: 132, outer: 139 };
const SHARES = { inner: 112, outer: 126 };
const MARK = 194;

export class RingDrawing {
  readonly #svg = byId('ring', SVGSVGElement);
  readonly #text = byId('ring-text', HTMLElement);
  readonly #arcs = svg('g', { class: 'arcs' });
  readonly #moving = svg('g', { class: 'moving' });
  readonly #shares = svg('g', { class: 'shares' });
  readonly #dead = svg('g', { class: 'dead' });
  readonly #mark = svg('path', { class: 'mark', visibility: 'hidden' });
  readonly #headline = svg('text', { x: '200', y: '192', class: 'headline' });
  readonly #subline = svg('text', { x: '200', y: '222', class: 'subline' });
  #view: ArcsView | null = null;
  #drawn = '';
  #drawnDead = '';
  #highlighted: string | null = null;

  constructor() {
    this.#svg.append(
      hatching(),
      this.#arcs,
      this.#moving,
      this.#shares,
      this.#dead,
      this.#mark,
      this.#headline,
      this.#subline,
    );
  }

  get stale(): boolean {
    return this.#view === null;
  }

  /** Whether the arcs that are drawn are not those of this ring any more. */
  differsFrom(ring: RingView): boolean {
    const view = this.#view;
    return view === null || view.generation !== ring.generation || view.phase !== ring.phase;
  }

  /** The node's colour; grey before the ring is known. */
  colorOf(node: string): string {
    const id = this.#view?.nodes.find(({ name }) => name === node)?.id;
    return id === undefined ? 'var(--muted)' : nodeColor(id);
  }

  setArcs(view: ArcsView): void {
    this.#view = view;
    this.#drawn = '';
    this.#drawnDead = '';
    this.#arcs.replaceChildren(
      ...view.nodes.map(({ name }, index) => {
        const own = view.arcs.filter(([, , owner]) => owner === index);
        const d = own.map(([from, to]) => sector(from, to, ARCS.inner, ARCS.outer)).join('');
        return this.#path(name, d);
      }),
    );
    this.#highlight();
  }

  /** What is new once a second. */
  update(ring: RingView): void {
    const { change, nodes } = ring;
    setText(this.#headline, change === null ? `generation ${ring.generation}` : `${change.percent.toFixed(1)} %`);
    setText(
      this.#subline,
      change === null ? ring.phase : `${change.kind} · ${change.paused ? 'paused' : change.phase}`,
    );
    setText(this.#text, this.#describe(ring));
    this.#drawShares(nodes);
    this.#drawMoves(change, nodes);
    this.#drawDead(nodes);
  }

  /** Marks where a key is; null: nowhere. */
  mark(which: WhichView | null): void {
    this.#mark.setAttribute('visibility', which === null ? 'hidden' : 'visible');
    if (which === null) return;
    const turn = which.hash / HASH_SPACE;
    const d = `M${pointAt(turn, ARCS.outer + 1)}L${pointAt(turn - 0.008, MARK)}L${pointAt(turn + 0.008, MARK)}Z`;
    this.#mark.setAttribute('d', d);
  }

  /** Shows one node's arcs above the others; null: all alike. */
  highlight(node: string | null): void {
    this.#highlighted = node;
    this.#highlight();
  }

  #highlight(): void {
    this.#svg.classList.toggle('highlighting', this.#highlighted !== null);
    for (const path of this.#svg.querySelectorAll('[data-node]')) {
      path.classList.toggle('highlighted', path.getAttribute('data-node') === this.#highlighted);
    }
  }

  #drawShares(nodes: readonly NodeView[]): void {
    const drawn = JSON.stringify([this.#view?.generation, nodes.map(({ name, share }) => [name, share])]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    let from = 0;
    this.#shares.replaceChildren(
      ...nodes.map(({ name, share }) => {
        const to = from + share;
        const path = this.#path(name, share === 0 ? '' : sectorPath(from, to, SHARES.inner, SHARES.outer));
        from = to;
        return path;
      }),
    );
    this.#highlight();
  }

  /** Hatches what nobody serves. */
  #drawDead(nodes: readonly NodeView[]): void {
    const drawn = JSON.stringify([
      this.#view?.generation,
      this.#view?.phase,
      nodes.filter(isDown).map(({ name }) => name),
    ]);
    if (drawn === this.#drawnDead) return;
    this.#drawnDead = drawn;
    this.#dead.replaceChildren(
      ...nodes.filter(isDown).flatMap(({ name }) =>
        [this.#arcs, this.#shares].flatMap((group) => {
          const d = pathOf(group, name);
          return d === '' ? [] : [svg('path', { d, 'data-node': name, fill: 'url(#hatch)' })];
        }),
      ),
    );
    this.#highlight();
  }

  /** What moves turns to its new owner's colour from the outside in, by how far the sweep of its old owner is. */
  #drawMoves(change: ChangeView | null, nodes: readonly NodeView[]): void {
    const view = this.#view;
    if (view === null || change === null) {
      this.#moving.replaceChildren();
      return;
    }
    const depth = ARCS.outer - ARCS.inner;
    const swept = new Map(view.nodes.map(({ name }, index) => [index, sweptPart(name, change, nodes)]));
    const paths = view.nodes.map(({ name }, target) => {
      let d = '';
      for (const [from, to, owner, next] of view.arcs) {
        if (next !== target || owner === next) continue;
        d += sector(from, to, TARGETS.inner, TARGETS.outer);
        const part = swept.get(owner) ?? 0;
        if (part > 0) d += sector(from, to, ARCS.outer - depth * part, ARCS.outer);
      }
      return this.#path(name, d);
    });
    this.#moving.replaceChildren(...paths);
    this.#highlight();
  }

  #path(node: string, d: string): SVGPathElement {
    const path = svg('path', { d, 'data-node': node });
    path.style.setProperty('fill', this.colorOf(node));
    path.append(svgTitle(node));
    return path;
  }

  #describe(ring: RingView): string {
    if (this.#view === null) return ring.hash;
    const { points, exact, nodes } = this.#view;
    const what = exact ? '' : '; the arcs are a sample';
    return `${ring.hash}, ${nodes.length} nodes, ${formatCount(points)} virtual nodes${what}.`;
  }
}

/** How much of a node was swept, 0 to 1. */
function sweptPart(node: string, change: ChangeView, nodes: readonly NodeView[]): number {
  const source = change.sources.find((candidate) => candidate.node === node);
  if (source === undefined) return 0;
  if (source.done) return 1;
  // What it held at the beginning, nearly: what it holds now and what it gave away.
  const keys = (nodes.find((candidate) => candidate.name === node)?.keys ?? 0) + source.keysMoved;
  return keys === 0 ? 0 : Math.min(0.99, source.keysScanned / keys);
}

function pathOf(group: SVGGElement, node: string): string {
  const paths = [...group.querySelectorAll('path')];
  return paths.find((path) => path.getAttribute('data-node') === node)?.getAttribute('d') ?? '';
}

/** Stripes in the colour of what is wrong, on the card's. */
function hatching(): SVGDefsElement {
  const pattern = svg('pattern', {
    id: 'hatch',
    width: '7',
    height: '7',
    patternUnits: 'userSpaceOnUse',
    patternTransform: 'rotate(45)',
  });
  pattern.append(
    svg('rect', { width: '7', height: '7', class: 'hatch-ground' }),
    svg('rect', { width: '2.5', height: '7', class: 'hatch-line' }),
  );
  const defs = svg('defs');
  defs.append(pattern);
  return defs;
}

function sector(from: number, to: number, inner: number, outer: number): string {
  return sectorPath(from / HASH_SPACE, to / HASH_SPACE, inner, outer);
}

function svgTitle(text: string): SVGTitleElement {
  const title = svg('title');
  title.textContent = text;
  return title;
}

/** A patch of a node's colour, beside its name. */
export function swatch(color: string): HTMLSpanElement {
  const patch = el('span', { class: 'swatch', 'aria-hidden': 'true' });
  patch.style.setProperty('--color', color);
  return patch;
}
