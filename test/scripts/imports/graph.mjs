// What imports what, and who stands in a circle.

/**
 * A set of files of which each reaches each other one by imports: a strongly connected component (R. Tarjan,
 * "Depth-first search and linear graph algorithms", 1972), without recursion, since chains of imports are long.
 * @param {string[]} files
 * @param {{from: string, to: string}[]} edges
 * @returns the circles, the largest first; a file that stands in none is left out
 */
export function circles(files, edges) {
  const next = new Map(files.map((file) => [file, []]));
  for (const { from, to } of edges) if (next.has(to)) next.get(from)?.push(to);
  const order = new Map();
  const lowest = new Map();
  const open = [];
  const isOpen = new Set();
  const found = [];
  const enter = (file) => {
    order.set(file, order.size);
    lowest.set(file, order.get(file));
    open.push(file);
    isOpen.add(file);
    return { file, at: 0 };
  };
  const lower = (file, value) => lowest.set(file, Math.min(lowest.get(file), value));
  for (const start of files) {
    if (order.has(start)) continue;
    const path = [enter(start)];
    while (path.length > 0) {
      const step = path.at(-1);
      const target = next.get(step.file)[step.at++];
      if (target !== undefined) {
        if (!order.has(target)) path.push(enter(target));
        else if (isOpen.has(target)) lower(step.file, order.get(target));
        continue;
      }
      path.pop();
      if (path.length > 0) lower(path.at(-1).file, lowest.get(step.file));
      if (lowest.get(step.file) !== order.get(step.file)) continue;
      const members = open.splice(open.indexOf(step.file));
      for (const member of members) isOpen.delete(member);
      if (members.length > 1 || next.get(step.file).includes(step.file)) found.push(members.sort());
    }
  }
  return found.sort((a, b) => b.length - a.length);
}

/** The largest circle among the files that a test picks; none when there is none. */
export function largestCircle(files, edges, picks = () => true) {
  return circles(files.filter(picks), edges)[0] ?? [];
}
