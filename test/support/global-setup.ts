import { buildIfStale } from '../../cli/bootstrap/build.mjs';

/** Tests that start the program start what the sources say: builds them once when they are newer than the build. */
export default async function setup(): Promise<void> {
  await buildIfStale({ checkTypes: false });
}
