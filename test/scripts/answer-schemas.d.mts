export function answerSchemas(answers: Iterable<string>): string;
