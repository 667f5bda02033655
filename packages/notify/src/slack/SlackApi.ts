import { NotifyFailure } from "@signalbox/core/plugin"
import { type AddressGuard, call, refusal } from "../http/index.ts"

/** An answer of the API: what this channel reads of it. */
export interface SlackAnswer {
  readonly ok: boolean
  readonly error: string
  readonly channel: string
  readonly ts: string
}

const textOf = (value: unknown): string => (typeof value === "string" ? value.slice(0, 100) : "")

/**
 * Calls a method of Slack's API.
 *
 * *Errors*: throws `NotifyFailure` if there is no answer of Slack; an answer that is an error is returned.
 */
export const callSlack = async (
  api: { readonly endpoint: string; readonly token: string; readonly guard: AddressGuard },
  method: string,
  body: object,
  { now, signal }: { readonly now: number; readonly signal: AbortSignal }
): Promise<SlackAnswer> => {
  const url = new URL(`${api.endpoint}/${method}`)
  const answer = await call({
    url,
    headers: { authorization: `Bearer ${api.token}`, "content-type": "application/json; charset=utf-8" },
    body: JSON.stringify(body),
    signal,
    guard: api.guard,
    timeoutMs: 12_000
  })
  const reason = refusal(url.host, answer, now)
  if (reason !== undefined) throw new NotifyFailure(reason)
  try {
    const { channel, error, ok, ts } = JSON.parse(answer.body) as Readonly<Record<string, unknown>>
    return { ok: ok === true, error: textOf(error), channel: textOf(channel), ts: textOf(ts) }
  } catch {
    throw new NotifyFailure({ _tag: "Unknown", message: `${url.host} answers with something else than JSON` })
  }
}
