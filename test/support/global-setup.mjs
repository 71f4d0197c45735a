import { buildIfStale } from '../../cli/bootstrap/build.mjs';

/** Tests that start the program start what the sources say: builds it once when they are newer than the build. */
export default function setup() {
  if (buildIfStale({ checkTypes: false }) !== 0) throw new Error('the build failed');
}
