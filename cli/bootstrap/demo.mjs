// `npm run demo` on a fresh clone: installs and builds what is missing, then runs `ringproxy demo`.
import { ensurePrograms } from './programs.mjs';
import { requireNode } from './project.mjs';
import { prepare, ringproxy } from './ringproxy.mjs';

requireNode();
ensurePrograms(['redis-server']);
prepare();
await ringproxy('demo', ...process.argv.slice(2));
