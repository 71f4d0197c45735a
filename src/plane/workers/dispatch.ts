/**
 * Messages between processes, declared by tables: a row says what a message of that type carries. A type without a
 * handler does not compile, on either side.
 */

/** A message of one of these types; without `Type` of any. */
export type Message<Table, Type extends keyof Table = keyof Table> = {
  readonly [T in Type]: { readonly type: T } & Table[T];
}[Type];

/** What is done with a message of each type. @see dispatch */
export type Handlers<Table, Context extends readonly unknown[] = []> = {
  readonly [Type in keyof Table]: (message: Message<Table, Type>, ...context: Context) => void;
};

/** Hands the message to the handler of its type. */
export function dispatch<Table, Type extends keyof Table, Context extends readonly unknown[] = []>(
  handlers: Handlers<Table, Context>,
  message: Message<Table, Type>,
  ...context: Context
): void {
  handlers[message.type](message, ...context);
}
