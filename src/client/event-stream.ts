/** Reads server-sent events, as `/v1/events` sends them. */

/** What happened: the name of its channel, the time as text, and what the channel says. */
export interface ProxyEvent {
  readonly event: string;
  readonly at: string;
  readonly [field: string]: unknown;
}

/** @param chunks the bytes of the answer, cut anywhere */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ProxyEvent> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of chunks) {
    const blocks = (text + decoder.decode(chunk, { stream: true })).split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event !== null) yield event;
    }
  }
}

/** @returns null for what is no event, such as a remark */
function parseEvent(block: string): ProxyEvent | null {
  const name = /^event: (.*)$/m.exec(block)?.[1];
  const data = /^data: (.*)$/m.exec(block)?.[1];
  if (name === undefined || data === undefined) return null;
  const fields: unknown = JSON.parse(data);
  return typeof fields === 'object' && fields !== null ? { at: '', ...fields, event: name } : null;
}
