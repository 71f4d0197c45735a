import fc from 'fast-check';

/** A reply as text, and whether each of RESP's types may stand in it. */
const LINE_TEXT = fc.string({ unit: fc.constantFrom('a', '0', '-', ' ', '\n', '$', '*'), maxLength: 20 });
const PAYLOAD = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', '\r', '\n', '$', '1', '.', '\xff', '\0'), maxLength: 40 }),
  fc.constant('x'.repeat(300)),
);

function payload(type: string) {
  return PAYLOAD.map((text) => `${type}${text.length}\r\n${text}\r\n`);
}

/** Random replies of all types of RESP2 and RESP3, nested and streamed, as latin1 text. */
export const anyReply: fc.Arbitrary<string> = fc.letrec<{ reply: string; element: string; attribute: string }>(
  (tie) => {
    const elements = fc.array(tie('element'), { maxLength: 3 });
    const pairs = fc.array(
      fc.tuple(tie('element'), tie('element')).map((pair) => pair.join('')),
      { maxLength: 4 },
    );
    const simple = fc.oneof(
      fc.tuple(fc.constantFrom('+', '-'), LINE_TEXT).map(([type, text]) => `${type}${text}\r\n`),
      fc.integer().map((value) => `:${value}\r\n`),
      fc.double().map((value) => `,${String(value).replace('Infinity', 'inf').replace('NaN', 'nan')}\r\n`),
      fc.bigInt().map((value) => `(${value}\r\n`),
      fc.constantFrom('$-1\r\n', '*-1\r\n', '_\r\n', '#t\r\n', '#f\r\n', '$0\r\n\r\n', '*0\r\n', '%0\r\n', '~0\r\n'),
      payload('$'),
      payload('!'),
      PAYLOAD.map((text) => `=${text.length + 4}\r\ntxt:${text}\r\n`),
    );
    const streamedBulk = fc
      .array(
        PAYLOAD.filter((text) => text !== ''),
        { maxLength: 4 },
      )
      .map((chunks) => `$?\r\n${chunks.map((chunk) => `;${chunk.length}\r\n${chunk}\r\n`).join('')};0\r\n`);
    const counted = (type: string, items: fc.Arbitrary<string[]>) =>
      items.map((parts) => `${type}${parts.length}\r\n${parts.join('')}`);
    const streamed = (type: string, items: fc.Arbitrary<string[]>) =>
      items.map((parts) => `${type}?\r\n${parts.join('')}.\r\n`);
    return {
      reply: fc.oneof({ weight: 4, arbitrary: tie('element') }, { weight: 1, arbitrary: counted('>', elements) }),
      element: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        simple,
        streamedBulk,
        counted('*', elements),
        counted('~', elements),
        counted('%', pairs),
        streamed('*', elements),
        streamed('~', elements),
        streamed('%', pairs),
        fc.tuple(tie('attribute'), tie('element')).map((parts) => parts.join('')),
      ),
      attribute: counted('|', pairs),
    };
  },
).reply;

/** The type of a reply: that of what stands behind its attributes, however many there are. */
export function typeBehindAttributes(reply: string): string {
  const parser = { text: reply, at: 0 };
  while (parser.text[parser.at] === '|') skipAttribute(parser);
  return parser.text[parser.at] as string;
}

interface Parser {
  readonly text: string;
  at: number;
}

/** Recursive descent, as plain as can be: what the framer is compared with. */
export function skipReply(parser: Parser): void {
  while (parser.text[parser.at] === '|') skipAttribute(parser);
  const type = parser.text[parser.at] as string;
  const header = line(parser);
  if ('+-:,(#_'.includes(type) || header === '-1') return;
  if (header === '?') {
    if (type === '$') while (skipChunk(parser));
    else while (parser.text[parser.at] !== '.') skipReply(parser);
    if (type !== '$') line(parser);
    return;
  }
  const number = Number(header);
  if ('$!='.includes(type)) parser.at += number + 2;
  else for (let i = 0; i < (type === '%' ? number * 2 : number); i++) skipReply(parser);
}

function skipAttribute(parser: Parser): void {
  const elements = Number(line(parser)) * 2;
  for (let i = 0; i < elements; i++) skipReply(parser);
}

function skipChunk(parser: Parser): boolean {
  const length = Number(line(parser));
  if (length > 0) parser.at += length + 2;
  return length > 0;
}

function line(parser: Parser): string {
  const end = parser.text.indexOf('\r\n', parser.at);
  const text = parser.text.slice(parser.at + 1, end);
  parser.at = end + 2;
  return text;
}
