/** The limits of Slack's blocks, as it enforces them. */
type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {})
const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])
const longer = (value: unknown, most: number): boolean => {
  const text = typeof value === "string" ? value : fieldsOf(value)["text"]
  return typeof text === "string" && text.length > most
}
const empty = (value: unknown): boolean => fieldsOf(value)["text"] === ""

/** All texts that people see, one a line. */
export const textsOf = (value: unknown): string =>
  Array.isArray(value)
    ? value.map(textsOf).join("\n")
    : Object.entries(fieldsOf(value))
        .filter(([key]) => key !== "channel" && key !== "thread_ts" && key !== "ts")
        .map(([, item]) => (typeof item === "string" ? item : textsOf(item)))
        .join("\n")

const blockError = (given: unknown): boolean => {
  const { elements, fields, text, type } = fieldsOf(given)
  switch (type) {
    case "section":
      return (
        (text === undefined && listOf(fields).length === 0) ||
        longer(text, 3_000) ||
        empty(text) ||
        listOf(fields).length > 10 ||
        listOf(fields).some((field) => longer(field, 2_000) || empty(field))
      )
    case "actions": {
      const all = listOf(elements).map(fieldsOf)
      const ids = new Set(all.map(({ action_id }) => action_id))
      return (
        all.length === 0 ||
        all.length > 25 ||
        ids.size < all.length ||
        all.some(({ text, url }) => longer(text, 75) || empty(text) || longer(url, 3_000) || !URL.canParse(String(url)))
      )
    }
    case "header":
      return longer(text, 150)
    default:
      return type !== "divider"
  }
}

/** The error that Slack answers for a message that exceeds a limit; undefined if it does not. */
export const blocksTooLarge = (message: unknown): string | undefined => {
  const { blocks, text } = fieldsOf(message)
  const all = listOf(blocks)
  if (typeof text !== "string" || text === "") return "no_text"
  if (longer(text, 40_000)) return "msg_too_long"
  if (all.length > 50 || all.some(blockError)) return "invalid_blocks"
  return JSON.stringify(all).length > 13_200 ? "msg_blocks_too_long" : undefined
}
