import { NotifyFailure } from "@signalbox/core/plugin"
import type { NotifyReason } from "@signalbox/core/spi"
import { type AddressGuard, call, type HttpAnswer, refusal } from "../http/index.ts"

const reasonOf = (host: string, answer: HttpAnswer, now: number): NotifyReason | undefined => {
  const { headers, status } = answer
  const isLimited = status === 403 && (headers["x-ratelimit-remaining"] === "0" || headers["retry-after"] !== undefined)
  if (isLimited) {
    const reset = Number(headers["x-ratelimit-reset"]) * 1_000 - now
    const again = Number(headers["retry-after"]) * 1_000
    const pause = [again, reset].find((ms) => ms > 0) ?? 60_000
    return {
      _tag: "RateLimited",
      message: `${host} limits the rate`,
      retryAfterMs: Math.ceil(Math.min(pause, 3_600_000))
    }
  }
  switch (status) {
    case 404:
      return {
        _tag: "Gone",
        message: `${host} shows no such repository`,
        hint: "Check its name, and that the token may read it."
      }
    case 401:
    case 403:
      return {
        _tag: "Denied",
        message: `${host} answers ${status}`,
        hint: "Give the token write access to deployments (deployments: write)."
      }
    case 422:
      return { _tag: "Invalid", message: `${host} answers 422: is the commit pushed?` }
    default:
      return refusal(host, answer, now)
  }
}

/**
 * Calls GitHub's API for one repository.
 *
 * *Errors*: throws `NotifyFailure`.
 */
export const callGitHub = async (
  api: { readonly endpoint: string; readonly repository: string; readonly token: string; readonly guard: AddressGuard },
  method: "GET" | "POST",
  path: string,
  body: object | undefined,
  { now, signal }: { readonly now: number; readonly signal: AbortSignal }
): Promise<unknown> => {
  const url = new URL(`${api.endpoint}/repos/${api.repository}${path}`)
  const answer = await call({
    url,
    method,
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${api.token}`,
      "content-type": "application/json",
      "user-agent": "signalbox",
      "x-github-api-version": "2022-11-28"
    },
    body: body === undefined ? "" : JSON.stringify(body),
    signal,
    guard: api.guard,
    timeoutMs: 7_000
  })
  const reason = reasonOf(url.host, answer, now)
  if (reason !== undefined) throw new NotifyFailure(reason)
  try {
    return JSON.parse(answer.body) as unknown
  } catch {
    throw new NotifyFailure({ _tag: "Unknown", message: `${url.host} answers with something else than JSON` })
  }
}
