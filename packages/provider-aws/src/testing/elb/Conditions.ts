/**
 * Which requests a rule is for.
 */
import type { RuleCondition } from "@aws-sdk/client-elastic-load-balancing-v2"
import type { IncomingMessage } from "node:http"

/** `*` stands for any characters, `?` for one. */
const matches = (pattern: string, text: string, flags = ""): boolean => {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".")
  return new RegExp(`^${expression}$`, flags).test(text)
}

const holds = (condition: RuleCondition, request: IncomingMessage): boolean => {
  const url = new URL(request.url!, "http://localhost")
  const some = (values: ReadonlyArray<string> | undefined, text: string, flags = "") =>
    (values ?? condition.Values ?? []).some((pattern) => matches(pattern, text, flags))
  switch (condition.Field) {
    case "path-pattern":
      return some(condition.PathPatternConfig?.Values, url.pathname)
    case "host-header":
      return some(condition.HostHeaderConfig?.Values, (request.headers.host ?? "").replace(/:\d+$/, ""), "i")
    case "http-header": {
      const value = request.headers[(condition.HttpHeaderConfig?.HttpHeaderName ?? "").toLowerCase()]
      return value !== undefined && some(condition.HttpHeaderConfig?.Values, String(value), "i")
    }
    case "http-request-method":
      return some(condition.HttpRequestMethodConfig?.Values, request.method!)
    case "query-string":
      return (condition.QueryStringConfig?.Values ?? []).some(({ Key, Value }) =>
        [...url.searchParams].some(
          ([key, value]) => (Key === undefined || matches(Key, key, "i")) && matches(Value ?? "", value, "i")
        )
      )
    // All clients are on the loopback interface.
    case "source-ip":
      return (condition.SourceIpConfig?.Values ?? []).some((range) => /^(127\.|0\.0\.0\.0\/0)/.test(range))
    default:
      return false
  }
}

/** Whether all conditions of a rule hold for a request. */
export const isFor = (conditions: ReadonlyArray<RuleCondition>, request: IncomingMessage): boolean =>
  conditions.every((condition) => holds(condition, request))
