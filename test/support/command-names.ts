/**
 * Where sources decide by a command's name instead of by a column of its row. With the compiler's types, so that words
 * that are also names of commands are told apart: the values of columns, messages' kinds and other closed unions are
 * none, and names stand where any text may stand.
 */
import ts from 'typescript';
import { pathOf } from './sources.js';

/** Methods by which a name is looked for, or looked into. */
const LOOKS = new Set(['has', 'includes', 'indexOf', 'startsWith', 'endsWith', 'slice', 'match', 'test', 'get']);
/** What the proxy sends to nodes, and its replies, are made by these: of words as they stand on the wire. */
const WRITES = new Set(['array', 'bulk', 'call', 'callBuffer', 'encodeRequest', 'map', 'simpleString']);

export interface NamedCommand {
  readonly file: string;
  readonly line: number;
  readonly name: string;
}

/** @param names of commands, in lower case */
export function commandNamesIn(program: ts.Program, file: ts.SourceFile, names: ReadonlySet<string>): NamedCommand[] {
  const checker = program.getTypeChecker();
  const found: NamedCommand[] = [];
  const note = (node: ts.Node, name: string): void => {
    found.push({ file: pathOf(file), line: file.getLineAndCharacterOfPosition(node.getStart()).line + 1, name });
  };
  const visit = (node: ts.Node): void => {
    // An import's path, a type.
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return;
    if (ts.isStringLiteralLike(node) && names.has(node.text.toLowerCase()) && isName(checker, node)) {
      note(node, node.text);
    }
    if (ts.isObjectLiteralElementLike(node) && isKeyOfAnyText(checker, node, names))
      note(node, node.name?.getText() ?? '');
    if (ts.isPropertyAccessExpression(node) && isNameOfCommand(checker, node) && isLookedAt(node)) {
      note(node, node.getText());
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function isName(checker: ts.TypeChecker, node: ts.StringLiteralLike): boolean {
  const { parent } = node;
  // Checked as keys.
  if (ts.isObjectLiteralElementLike(parent) && parent.name === node) return false;
  if (isOnTheWire(node)) return false;
  const expected = expectedType(checker, node);
  return expected === undefined || !isClosed(expected);
}

/** The type of what the literal is compared with, or put into. */
function expectedType(checker: ts.TypeChecker, node: ts.StringLiteralLike): ts.Type | undefined {
  const { parent } = node;
  if (ts.isBinaryExpression(parent) && isEquality(parent)) {
    const other = parent.left === node ? parent.right : parent.left;
    return checker.getTypeAtLocation(other);
  }
  if (ts.isCaseClause(parent)) return checker.getTypeAtLocation(parent.parent.parent.expression);
  return checker.getContextualType(node);
}

/** Whether only certain words may stand there, and these are not commands' names. */
function isClosed(type: ts.Type): boolean {
  const types = type.isUnion() ? type.types : [type];
  const words = types.filter((one) => (one.flags & (ts.TypeFlags.Null | ts.TypeFlags.Undefined)) === 0);
  return words.every((one) => one.isStringLiteral() && !one.value.includes('|'));
}

/** Whether it is part of a frame or a reply: an argument of what writes such, or of a list of words in capitals. */
function isOnTheWire(node: ts.StringLiteralLike): boolean {
  let at: ts.Node = node;
  while (
    ts.isArrayLiteralExpression(at.parent) ||
    ts.isConditionalExpression(at.parent) ||
    ts.isSpreadElement(at.parent)
  ) {
    at = at.parent;
  }
  const { parent } = at;
  if (ts.isCallExpression(parent) && parent.expression !== at) {
    const name = nameOf(parent.expression);
    return WRITES.has(name) || (isInCapitals(node.text) && !LOOKS.has(name));
  }
  if (ts.isNewExpression(parent) || ts.isPropertyAccessExpression(parent) || ts.isBinaryExpression(parent))
    return false;
  return isInCapitals(node.text) && !ts.isCaseClause(parent);
}

/** Whether a key that is a command's name stands where any other key may stand. */
function isKeyOfAnyText(
  checker: ts.TypeChecker,
  node: ts.ObjectLiteralElementLike,
  names: ReadonlySet<string>,
): boolean {
  if (node.name === undefined || ts.isComputedPropertyName(node.name) || !ts.isObjectLiteralExpression(node.parent)) {
    return false;
  }
  const key = ts.isStringLiteralLike(node.name) ? node.name.text : node.name.getText();
  if (!names.has(key)) return false;
  const type = checker.getContextualType(node.parent);
  if (type?.getProperty(key) !== undefined) return false;
  return key.includes('|') || type?.getStringIndexType() !== undefined;
}

/** `command.name`. */
function isNameOfCommand(checker: ts.TypeChecker, node: ts.PropertyAccessExpression): boolean {
  if (node.name.text !== 'name') return false;
  const { symbol } = checker.getNonNullableType(checker.getTypeAtLocation(node.expression));
  return symbol?.name === 'Command';
}

function isLookedAt(node: ts.PropertyAccessExpression): boolean {
  const { parent } = node;
  if (ts.isBinaryExpression(parent)) return isEquality(parent);
  if (ts.isSwitchStatement(parent) || ts.isElementAccessExpression(parent)) return true;
  if (ts.isPropertyAccessExpression(parent)) return LOOKS.has(parent.name.text);
  if (!ts.isCallExpression(parent) || !ts.isPropertyAccessExpression(parent.expression)) return false;
  // The handlers, which are a record of all such names.
  return LOOKS.has(parent.expression.name.text) && parent.expression.expression.getText() !== 'this.#handlers';
}

function isEquality({ operatorToken }: ts.BinaryExpression): boolean {
  const { kind } = operatorToken;
  return kind === ts.SyntaxKind.EqualsEqualsEqualsToken || kind === ts.SyntaxKind.ExclamationEqualsEqualsToken;
}

function nameOf(callee: ts.Expression): string {
  return ts.isPropertyAccessExpression(callee) ? callee.name.text : callee.getText();
}

function isInCapitals(text: string): boolean {
  return text === text.toUpperCase();
}
