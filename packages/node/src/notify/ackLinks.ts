/**
 * Links that acknowledge one notification until they expire: signed, so that only what was sent acknowledges something.
 */
import type { AckLinks, NotificationsSpec } from "@signalbox/core/spi"
import * as Duration from "effect/Duration"
import { createHmac, timingSafeEqual } from "node:crypto"

/** What the signature is for: a key that signs other things, too, does not make a link of them. */
const purpose = "signalbox/acknowledge/1"
const usual = Duration.days(7)

/**
 * The links of a configuration; undefined if it has none, or the variable of its secret is not set.
 */
export const ackLinks = (
  { acknowledge }: NotificationsSpec,
  readSecret: (name: string) => string | undefined
): AckLinks | undefined => {
  const secret = acknowledge === undefined ? undefined : readSecret(acknowledge.secret.$secret)
  if (acknowledge === undefined || secret === undefined || secret === "") return undefined
  const validFor = Duration.toMillis(acknowledge.validFor ?? usual)
  const signatureOf = (id: string, until: number): Buffer =>
    createHmac("sha256", secret).update([purpose, id, until].join("\n")).digest()
  return {
    link: (id, now) => {
      const until = now + validFor
      const url = new URL(acknowledge.url)
      url.searchParams.set("notification", id)
      url.searchParams.set("until", String(until))
      url.searchParams.set("signature", signatureOf(id, until).toString("base64url"))
      return url.href
    },
    accept: (link, now) => {
      const given = URL.canParse(link) ? new URL(link).searchParams : new URLSearchParams()
      const [id = "", until = ""] = [given.get("notification") ?? "", given.get("until") ?? ""]
      const signature = Buffer.from(given.get("signature") ?? "", "base64url")
      const expected = signatureOf(id, Number(until))
      if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) return { _tag: "Invalid" }
      return Number(until) > now ? { _tag: "Accepted", id } : { _tag: "Expired" }
    }
  }
}
