// Runs the import rules over a tree of sources, and measures how its files hang together.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cruise } from 'dependency-cruiser';
import { circles, largestCircle } from './graph.mjs';
import { BETWEEN_FEATURES, hasPart, hasStep, isBackArrow, rules, TYPE_EDGES } from './rules.mjs';

export const ruleNames = () => [
  ...rules().map(({ name }) => name),
  NO_VALUE_CIRCLES,
  EVERY_FILE_A_PART,
  EVERY_FILE_A_STEP,
];

const NO_VALUE_CIRCLES = 'no-circles-of-values';
const EVERY_FILE_A_PART = 'every-file-has-a-part';
const EVERY_FILE_A_STEP = 'every-file-of-the-data-plane-has-a-step';
const HUBS = 6;
const FOLDERS = ['src', 'cli', 'test', 'compose'];
const ofProxy = (file) => file.startsWith('src/proxy/');

/**
 * Checks a tree.
 * @param {string} folder that has `src`, and maybe `cli`, `test` and `compose`
 * @returns the faults, and what it measures
 */
export async function checkImports(folder) {
  const modules = await modulesOf(folder);
  const files = modules.map(({ source }) => source).filter((file) => file.startsWith('src/'));
  const allEdges = edgesOf(modules);
  const edges = allEdges.filter(({ from, to }) => from.startsWith('src/') && to.startsWith('src/'));
  // dependency-cruiser's own rule against cycles looks at one cycle for each import, the first that it finds: one in
  // which types are imported hides one of values, which is there when the program runs.
  const valueCircles = circles(
    modules.map(({ source }) => source),
    allEdges.filter(({ types }) => !types),
  );

  const violations = modules.flatMap(({ source, dependencies, rules: ofModule = [] }) => [
    ...ofModule.map(({ name }) => ({ rule: name, text: source })),
    ...dependencies.flatMap(({ resolved, rules: broken = [] }) =>
      broken.map(({ name }) => ({ rule: name, text: `${source} → ${resolved}` })),
    ),
  ]);
  const faults = [
    ...violations,
    ...valueCircles.map((circle) => ({ rule: NO_VALUE_CIRCLES, text: circle.join(', ') })),
    ...files.filter((file) => !hasPart(file)).map((text) => ({ rule: EVERY_FILE_A_PART, text })),
    ...files.filter((file) => !hasStep(file)).map((text) => ({ rule: EVERY_FILE_A_STEP, text })),
  ];
  const breachesOf = (picks) => new Set(faults.filter(({ rule }) => picks(rule)).map(({ text }) => text)).size;

  const importers = (name) =>
    new Set(edges.filter(({ to }) => to.endsWith(`/${name}.ts`)).map(({ from }) => from)).size;
  const circle = largestCircle(files, edges);
  const proxyEdges = edges.filter(({ from, to }) => ofProxy(from) && ofProxy(to));
  return {
    faults,
    figures: {
      files: files.length,
      arrows: edges.length,
      filesOfProxy: files.filter(ofProxy).length,
      arrowsOfProxy: proxyEdges.length,
      backArrows: breachesOf(isBackArrow),
      arrowsBetweenFeatures: breachesOf((rule) => rule === BETWEEN_FEATURES),
      valueCircles: valueCircles.length,
      importClientConnection: importers('client-connection'),
      importDispatcher: importers('dispatcher'),
    },
    hubs: hubsOf(proxyEdges),
    circle,
    /** What only goes down: see ratchet.json. */
    ratchet: {
      largestCircle: sizeOf(circle),
      largestCircleOfProxy: sizeOf(largestCircle(files, proxyEdges, ofProxy)),
    },
  };
}

async function modulesOf(folder) {
  const { output } = await cruise(
    FOLDERS.filter((name) => existsSync(join(folder, name))),
    {
      baseDir: folder,
      validate: true,
      ruleSet: { forbidden: rules() },
      doNotFollow: { path: 'node_modules' },
      // Types count: they are part of what one must know to read a file.
      tsPreCompilationDeps: true,
      enhancedResolveOptions: {
        exportsFields: ['exports'],
        conditionNames: ['import', 'node', 'default', 'types'],
      },
    },
  );
  return output.modules;
}

/** A file for itself is the smallest circle. */
const sizeOf = (circle) => Math.max(1, circle.length);

/** The files that most others of the same edges import, the first of them the most; each with how many do. */
function hubsOf(edges) {
  const counts = new Map();
  for (const { to } of edges) counts.set(to, (counts.get(to) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).slice(0, HUBS);
}

/** One arrow for each pair of files: `types` when nothing of it is there when the program runs. */
function edgesOf(modules) {
  const edges = new Map();
  for (const { source, dependencies } of modules) {
    for (const { resolved, dependencyTypes } of dependencies) {
      const types = dependencyTypes.some((type) => TYPE_EDGES.includes(type));
      const key = `${source} ${resolved}`;
      edges.set(key, { from: source, to: resolved, types: types && (edges.get(key)?.types ?? true) });
    }
  }
  return [...edges.values()];
}

/**
 * What a tree says against the recorded figures: they may only become smaller, and the record goes with them.
 * @returns one message for each figure that is not as recorded
 */
export function againstRatchet(ratchet, recorded) {
  return Object.entries(ratchet).flatMap(([name, value]) => {
    const before = recorded[name];
    if (value === before) return [];
    if (before === undefined || value < before) {
      return [`${name} is ${value}, better than the recorded ${before}: record it (npm run imports -- --lower)`];
    }
    return [`${name} is ${value}, and was ${before}: it only goes down (npm run imports -- --list)`];
  });
}
