/**
 * What the status of an answer means for a notification.
 */
import type { NotifyReason } from "@signalbox/core/spi"
import type { HttpAnswer } from "./call.ts"

const aDay = 86_400_000
/** How long to wait if the receiver does not say it. */
const usualPause = 30_000

/** `Retry-After` in milliseconds, from seconds or a date; undefined if it is missing or unreadable. */
export const retryAfterMs = (headers: HttpAnswer["headers"], now: number): number | undefined => {
  const text = headers["retry-after"]?.trim() ?? ""
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(aDay, Math.ceil(Number(text) * 1_000))
  const at = text === "" ? Number.NaN : Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.min(aDay, Math.max(0, at - now))
}

/**
 * Why an answer is no success; undefined for 2xx.
 *
 * *Details*: after 500 and 504 the receiver may have taken the notification; after 502 and 503 it has not. A 404 is often the
 * receiver's own deployment, so it is repeated.
 */
export const refusal = (host: string, { headers, status }: HttpAnswer, now: number): NotifyReason | undefined => {
  if (status >= 200 && status < 300) return undefined
  const message = `${host} answers ${status}`
  const pause = retryAfterMs(headers, now)
  switch (status) {
    case 401:
    case 403:
      return { _tag: "Denied", message }
    case 410:
      return { _tag: "Gone", message }
    case 413:
      return { _tag: "TooLarge", message }
    case 429:
      return { _tag: "RateLimited", message, retryAfterMs: pause ?? usualPause }
    case 500:
    case 504:
      return { _tag: "Unknown", message }
    default:
  }
  if (status >= 500 || status === 404 || status === 408 || status === 425) {
    return { _tag: "Unavailable", message, ...(pause === undefined ? {} : { retryAfterMs: pause }) }
  }
  return status >= 300 && status < 400
    ? { _tag: "Invalid", message: `${message}: redirects are not followed`, hint: "Configure the final URL." }
    : { _tag: "Invalid", message }
}
