/** The settings as variables of the environment. */
import type { Setting } from './settings/setting.js';
import { SETTINGS } from './settings.js';
import { suggestion } from './suggestion.js';

const PREFIX = 'RINGPROXY_';

/** What is no setting: of the command line, of the Compose demo, and of tests. */
const OTHERS = ['TOKEN', 'CA', 'CERT', 'KEY', 'ADD_PASSWORD', 'PLAIN_SOCKETS', 'IMAGE'].map(
  (name) => `${PREFIX}${name}`,
);

/** Kubernetes gives each container such variables of each service: one that is called `ringproxy` makes these. */
const SERVICE_LINK = /_(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

/** `RINGPROXY_` and the path in capitals. */
export function environmentName(setting: Setting): string {
  return `${PREFIX}${setting.path.replace(/[.-]/g, '_').toUpperCase()}`;
}

/** Variables that look like a setting and are none: a sentence each. They are no mistake: others may use the prefix. */
export function strangeVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = [...Object.values(SETTINGS).map(environmentName), ...OTHERS];
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name) && !SERVICE_LINK.test(name))
    .map((name) => `the environment has ${name}, which is no setting${suggestion(name, known)}`);
}
