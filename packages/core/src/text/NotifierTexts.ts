import type { notifierErrors } from "../domain/errors/NotifierErrors.ts"
import { because, type Text, type Texts } from "./words.ts"

const said =
  (what: string, hint: string) =>
  ({ channel }: { readonly channel: string }, detail: string | undefined): Text => ({
    message: `channel ${channel}: ${what}${because(detail)}`,
    hint
  })

export const notifierTexts: Texts<keyof typeof notifierErrors> = {
  notify_rate_limited: said("it limits notifications", "They are sent after a pause."),
  notify_unavailable: said("it cannot be reached", "They are sent when it is back: signalbox notify flush"),
  notify_unknown: said("it gave no answer, so it may have the notification", "It is sent again with the same id."),
  notify_denied: said("access was denied", "Check the token or password of the channel, then: signalbox notify retry"),
  notify_gone: said("it does not exist any more", "Correct or remove the channel, then: signalbox notify retry"),
  notify_invalid: said("it rejects the notification", "Correct the channel's options, then: signalbox notify test"),
  notify_too_large: said("the notification is too large", "Shorten its template, then: signalbox notify retry")
}
