import { expect, it } from 'vitest';
import { environmentName, strangeVariables } from '../../src/config/environment.js';
import { SETTINGS } from '../../src/config/settings.js';

it('a variable that is misspelt is named, with the one that is near', () => {
  const env = {
    RINGPROXY_LISTN: 'x',
    RINGPROXY_WHATEVER: 'x',
    RINGPROXY_LISTEN: 'x',
    RINGPROXY_TOKEN: 'x',
    RINGPROXY_CA: 'x',
    HOME: 'x',
  };
  expect(strangeVariables(env)).toEqual([
    'the environment has RINGPROXY_LISTN, which is no setting: did you mean RINGPROXY_LISTEN?',
    'the environment has RINGPROXY_WHATEVER, which is no setting',
  ]);
  // Of a service that is called ringproxy, as Kubernetes gives them to each container.
  const links = ['SERVICE_HOST', 'SERVICE_PORT_REDIS', 'PORT', 'PORT_6380_TCP', 'PORT_6380_TCP_ADDR', 'X_SERVICE_HOST'];
  expect(strangeVariables(Object.fromEntries(links.map((name) => [`RINGPROXY_${name}`, 'x'])))).toEqual([]);
  expect(environmentName(SETTINGS.vnodes)).toBe('RINGPROXY_RING_VNODES');
});
