export function answerSchemas(answers: Iterable<string>): Map<string, string>;
export function writtenSchemas(): Map<string, string>;
