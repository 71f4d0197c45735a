/** The values of `key` in a URL, as bytes: keys are binary, and a percent-encoded byte stands for itself. */
export function parseKeys(url: string): Buffer[] {
  const question = url.indexOf('?');
  if (question < 0) return [];
  return url
    .slice(question + 1)
    .split('&')
    .filter((part) => part.startsWith('key='))
    .map((part) => decodeBytes(part.slice('key='.length)));
}

function decodeBytes(text: string): Buffer {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const hex = text[i] === '%' ? text.slice(i + 1, i + 3) : '';
    if (/^[0-9a-f]{2}$/i.test(hex)) {
      bytes.push(Number.parseInt(hex, 16));
      i += 2;
    } else {
      bytes.push(...Buffer.from(text[i] === '+' ? ' ' : (text[i] ?? '')));
    }
  }
  return Buffer.from(bytes);
}
