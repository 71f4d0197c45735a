/** A node as it is named on the command line and in files. */
export interface NodeText {
  readonly name?: string;
  readonly address: string;
  readonly weight?: number;
}

/**
 * @param text `NAME=HOST:PORT*WEIGHT`, where the name and the weight may be left out
 * @returns null when it has not this form
 */
export function parseNodeText(text: string): NodeText | null {
  const match = /^(?:([^=]+)=)?([^=].*?)(?:\*(\d+))?$/.exec(text.trim());
  if (match === null) return null;
  const [, name, address = '', weight] = match;
  return {
    address,
    ...(name === undefined ? {} : { name }),
    ...(weight === undefined ? {} : { weight: Number(weight) }),
  };
}
