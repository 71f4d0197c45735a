// `npm run demo` on a fresh clone: installs and builds what is missing, then runs `ringproxy demo`.
import { ensurePrograms } from './programs.mjs';
import { requireNode } from './project.mjs';
import { prepare, ringproxy } from './ringproxy.mjs';

requireNode();
// Several proxies agree in an etcd.
const isFleet = /(?:^|,)--proxies[=,](?!1(?:,|$))/.test(process.argv.slice(2).join());
ensurePrograms(['redis-server', ...(isFleet ? ['etcd'] : [])]);
prepare();
await ringproxy('demo', ...process.argv.slice(2));
