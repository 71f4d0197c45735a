/** What a command looks like when it is used: below its help. */
import type { Command } from 'commander';

/** By the path of the command. */
export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  serve: [
    'ringproxy serve --node a=10.0.0.1:6379 --node b=10.0.0.2:6379*2',
    'ringproxy serve -c ringproxy.yaml',
    'ringproxy serve -c ringproxy.yaml --check',
  ],
  'ring show': ['ringproxy ring show', "ringproxy ring show --json | jq '.nodes[].keys'"],
  'ring which': ['ringproxy ring which user:1 user:2'],
  'ring add': [
    'ringproxy ring add d=10.0.0.4:6379 --dry-run',
    'ringproxy ring add d=10.0.0.4:6379*2 --throttle 5000',
    'ringproxy ring add d=10.0.0.4:6379 --password-file d.password',
  ],
  'ring remove': ['ringproxy ring remove d', 'ringproxy ring remove d --no-drain    (d is dead)'],
  'ring set-weight': ['ringproxy ring set-weight b 2'],
  'ring replace': ['ringproxy ring replace b=10.0.0.9:6379'],
  'ring apply': ['ringproxy ring apply -f ringproxy.yaml --dry-run'],
  'ring status': ['ringproxy ring status --watch'],
  'ring pause': ['ringproxy ring pause'],
  'ring resume': ['ringproxy ring resume', 'ringproxy ring resume --no-drain    (the nodes that fail are dead)'],
  'ring throttle': ['ringproxy ring throttle 2000', 'ringproxy ring throttle 0'],
  'ring cancel': ['ringproxy ring cancel --dry-run', 'ringproxy ring cancel'],
  'ring history': ['ringproxy ring history'],
  'ring check': ['ringproxy ring check', 'ringproxy ring check --fix'],
  nodes: ['ringproxy nodes', "ringproxy nodes --json | jq '.[].figures.evictedKeys'"],
  'node check': [
    'ringproxy node check 10.0.0.4:6379',
    'ringproxy node check 10.0.0.4:6379 --username ringproxy --password-file node.password',
    'ringproxy node check rediss://cache.example.com:6379 --tls-ca ca.crt',
    "ringproxy node check 10.0.0.4:6379 --json | jq '.lacking[].command'",
  ],
  'proxies ls': ['ringproxy proxies ls'],
  'proxies forget': ['ringproxy proxies forget 1b9d6bcd0a4e'],
  stats: ['ringproxy stats', "ringproxy stats --json | jq '.commands'"],
  top: ['ringproxy top', 'ringproxy top --interval 10 --count 6 --json'],
  hot: ['ringproxy hot --watch', 'ringproxy hot --limit 5 --this-proxy'],
  advise: ['ringproxy advise'],
  audit: ['ringproxy audit', 'ringproxy audit --json | jq \'.entries[] | select(.outcome == "refused")\''],
  'groups ls': ['ringproxy groups --watch', 'ringproxy groups pages'],
  'groups set': [
    'ringproxy groups set pages --prefix page: --cache near --near-ttl 5s',
    'ringproxy groups set pages --reset near-ttl --dry-run',
  ],
  'groups rm': ['ringproxy groups rm pages'],
  'groups apply': ['ringproxy groups apply -f groups.yaml'],
  'groups reset': ['ringproxy groups reset'],
  events: ['ringproxy events --recent', 'ringproxy events --channel command:failed --json'],
  'config check': ['ringproxy config check ringproxy.yaml'],
  'config init': ['ringproxy config init ringproxy.yaml'],
  'config import-twemproxy': ['ringproxy config import-twemproxy nutcracker.yml --pool alpha > ringproxy.yaml'],
  'config reference': ['ringproxy config reference'],
  demo: ['ringproxy demo', 'ringproxy demo --seconds 20 --proxies 3'],
  completion: [
    'eval "$(ringproxy completion bash)"    (in ~/.bashrc; zsh likewise)',
    'ringproxy completion fish > ~/.config/fish/completions/ringproxy.fish',
  ],
};

/** Puts each command's examples below its help. */
export function withExamples(command: Command, path = ''): void {
  const examples = EXAMPLES[path];
  if (examples !== undefined) {
    command.addHelpText('after', ['', 'Examples:', ...examples.map((example) => `  ${example}`)].join('\n'));
  }
  for (const sub of command.commands) withExamples(sub, `${path} ${sub.name()}`.trim());
}
