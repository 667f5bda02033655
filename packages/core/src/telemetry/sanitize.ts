const controls = /[\u0000-\u001f\u007f-\u009f]+/g
const credentials = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi
const assignment =
  /\b([\w.-]*(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|credential|authorization)[\w.-]*)(["']?\s*[=:]\s*)(?:(?:bearer|basic)\s+)?("[^"]*"|'[^']*'|[^\s,;&]+)/gi

/**
 * A message as telemetry shows it: one line of at most 256 characters, without anything that looks like a credential.
 *
 * *Gotchas*: a second line of defence. Secrets should not get into messages in the first place.
 */
export const sanitize = (message: string): string => {
  const clean = message.replaceAll(controls, " ").replaceAll(credentials, "$1…@").replaceAll(assignment, "$1$2…").trim()
  return clean.length > 256 ? `${clean.slice(0, 255)}…` : clean
}
