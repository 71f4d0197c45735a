"""A transcript that does not depend on what server is asked: one line of JSON for each step."""

import json
import os

URL = os.environ["REDIS_URL"]
PORT = int(os.environ["REDIS_PORT"])


def step(name, run):
    """Runs a step and prints what it gave, or how it failed. @return what it gave; None when it failed"""
    result = None
    try:
        result = run()
        printed = plain(result)
    except Exception as error:  # Whatever the library makes of it is what is compared.
        printed = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps({"step": name, "result": printed}, sort_keys=True), flush=True)
    return result


def plain(value):
    """@return the value in types that JSON has; sets in an order"""
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, (set, frozenset)):
        return sorted((plain(each) for each in value), key=str)
    if isinstance(value, dict):
        return {str(plain(key)): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Exception):
        return {"error": f"{type(value).__name__}: {value}"}
    return repr(value)
