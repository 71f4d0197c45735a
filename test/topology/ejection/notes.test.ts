import { expect, it } from 'vitest';
import { EjectionNotes } from '../../../src/topology/ejection/notes.js';

const node = { name: 'n', address: 'h:1' };

it('what keeps a node in the ring says nothing of one that is out of it, and the reverse', () => {
  const notes = new EjectionNotes();
  notes.stay([node], 'too many are down');
  expect([notes.ofDown(node), notes.ofEjected(node)]).toEqual(['too many are down', null]);
  notes.stay([], '');
  notes.away(node, 'it is a replica');
  expect([notes.ofDown(node), notes.ofEjected(node)]).toEqual([null, 'it is a replica']);
});

it('where nobody lets it come back, that is said, and what does', () => {
  const notes = new EjectionNotes();
  notes.away(node, 'it is a replica');
  notes.turnOff(true);
  expect(notes.ofEjected(node)).toMatch(/on-node-failure is error: ringproxy ring add n=h:1 --flush$/);
  expect(notes.ofDown(node)).toBeNull();
  notes.turnOff(false);
  expect(notes.ofEjected(node)).toBe('it is a replica');
});
