// `npm run events`: tails what a running proxy decides, that of `npm run dev` unless --admin says otherwise.
import { prepare, ringproxy } from './ringproxy.mjs';

prepare();
await ringproxy('events', ...process.argv.slice(2));
