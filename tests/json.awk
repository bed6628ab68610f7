# A strict JSON reader in awk, independent of the library's own: prints "path<TAB>type<TAB>value" for every
# value, and fails on anything that RFC 8259 does not allow. Paths are like train.log_prob or samples[0][1].
{ text = text $0 "\n" }
END {
  at = 1
  size = length(text)
  value("")
  space()
  if (at <= size) wrong("text after the end")
  exit bad
}
function wrong(what) { if (!bad) print "JSON, byte " at ": " what > "/dev/stderr"; bad = 1; at = size + 1 }
function space() { while (at <= size && index(" \t\r\n", substr(text, at, 1))) at++ }
function emit(path, type, what) { if (!bad) print path "\t" type "\t" what }
function string(   from, c) {
  if (substr(text, at, 1) != "\"") { wrong("a string should be here"); return "" }
  from = ++at
  while (at <= size) {
    c = substr(text, at, 1)
    if (c == "\"") { at++; return substr(text, from, at - 1 - from) }
    if (c == "\n") break
    if (c == "\\") {
      if (!match(substr(text, at, 6), /^\\(["\\\/bfnrt]|u[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F])/)) break
      at += RLENGTH
    } else at++
  }
  wrong("string not closed")
  return ""
}
function value(path,   c, key, n) {
  if (bad) return
  space()
  c = substr(text, at, 1)
  if (c == "{") {
    emit(path, "object", "")
    at++
    space()
    if (substr(text, at, 1) == "}") { at++; return }
    for (;;) {
      space()
      key = string()
      space()
      if (substr(text, at++, 1) != ":") { wrong("':' is missing"); return }
      value(path == "" ? key : path "." key)
      space()
      c = substr(text, at++, 1)
      if (c == "}" || bad) return
      if (c != ",") { wrong("',' or '}' is missing"); return }
    }
  }
  if (c == "[") {
    at++
    n = 0
    space()
    if (substr(text, at, 1) == "]") { at++; emit(path, "array", 0); return }
    for (;;) {
      value(path "[" n++ "]")
      space()
      c = substr(text, at++, 1)
      if (bad) return
      if (c == "]") { emit(path, "array", n); return }
      if (c != ",") { wrong("',' or ']' is missing"); return }
    }
  }
  if (c == "\"") { emit(path, "text", string()); return }
  if (match(substr(text, at, 64), /^(true|false|null)/)) {
    emit(path, RLENGTH == 4 && substr(text, at, 1) == "n" ? "null" : "boolean", substr(text, at, RLENGTH))
    at += RLENGTH
    return
  }
  if (match(substr(text, at, 64), /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/)) {
    emit(path, "number", substr(text, at, RLENGTH))
    at += RLENGTH
    return
  }
  wrong("a value should be here")
}
