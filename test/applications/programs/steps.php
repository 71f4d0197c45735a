<?php
// A transcript that does not depend on what server is asked: one line of JSON for each step.
// What has been printed goes before headers, of which PHP's sessions think.
ob_start();

define('PORT', (int) getenv('REDIS_PORT'));

/** Runs a step and prints what it gave, or how it failed. @return what it gave; null when it failed */
function step(string $name, callable $run)
{
    $result = null;
    try {
        $result = $run();
        $printed = plain($result);
    } catch (Throwable $error) {
        $printed = ['error' => get_class($error) . ': ' . $error->getMessage()];
    }
    $flags = JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE;
    echo json_encode(['step' => $name, 'result' => $printed], $flags), "\n";
    return $result;
}

/** @return the value in types that JSON has; a map in the order of its keys */
function plain($value)
{
    if ($value instanceof Throwable) {
        return ['error' => get_class($value) . ': ' . $value->getMessage()];
    }
    if (is_object($value)) {
        return method_exists($value, '__toString') ? (string) $value : get_class($value);
    }
    if (!is_array($value)) {
        return $value;
    }
    if (!array_is_list($value)) {
        ksort($value);
    }
    return array_map('plain', $value);
}

/** @return what has no order, in one */
function sorted($values)
{
    if (is_array($values)) {
        sort($values);
    }
    return $values;
}

/** @return names of keys, of which every node has some */
function keys(string $prefix, int $count = 24): array
{
    return array_map(fn ($i) => "$prefix:$i", range(0, $count - 1));
}
