/**
 * The offset at which a text stops being JSON. `JSON.parse` knows it but says it only in some of its messages, next to a
 * piece of the text, which must not be shown.
 */
export const jsonErrorAt = (text: string): number => {
  let at = 0
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match === null) return false
    at += match[0].length
    return true
  }
  const space = () => skip(/[ \t\r\n]*/y)
  const string = () => skip(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y)
  const members = (close: RegExp, member: () => boolean): boolean => {
    space()
    if (skip(close)) return true
    do {
      space()
      if (!member()) return false
      space()
    } while (skip(/,/y))
    return skip(close)
  }
  const value = (depth: number): boolean => {
    space()
    if (depth > 1000) return false
    if (skip(/\{/y)) {
      return members(/\}/y, () => {
        if (!string()) return false
        space()
        return skip(/:/y) && value(depth + 1)
      })
    }
    if (skip(/\[/y)) return members(/\]/y, () => value(depth + 1))
    return string() || skip(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y)
  }
  if (value(0)) space()
  return at
}
