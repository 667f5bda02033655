/**
 * The notifications of a project: what is configured, and what sends it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { EventTag } from "../domain/Event.ts"
import { notableTags, type NotificationsSpec, wantedKinds } from "../domain/notification/index.ts"
import type { MessageTemplate } from "../text/notification/messageText.ts"
import type { NotifierKind } from "./Notifier.ts"

/**
 * Links that acknowledge a delivery, by its id.
 *
 * *Details*: `accept` says which one a link is for; `Invalid` if it was not made by `link` with the same secret.
 */
export interface AckLinks {
  readonly link: (id: string, now: number) => string
  readonly accept: (
    link: string,
    now: number
  ) => { readonly _tag: "Accepted"; readonly id: string } | { readonly _tag: "Invalid" | "Expired" }
}

/**
 * Configured notifications.
 *
 * *Details*: `deploymentId` restricts a process to its own deployment, where a store is shared with other projects.
 * With `ackLinks`, notifications that escalate have a link that stops it. `notable` are the tags of events that notifications follow from.
 */
export interface NotificationSetup {
  readonly settings: NotificationsSpec
  readonly kinds: ReadonlyMap<string, NotifierKind>
  readonly notable: ReadonlySet<EventTag>
  readonly deploymentId?: string | undefined
  readonly ackLinks?: AckLinks | undefined
  readonly template?: MessageTemplate | undefined
}

/** Completes it. */
export const notificationSetup = (setup: Omit<NotificationSetup, "notable">): NotificationSetup => ({
  ...setup,
  notable: notableTags(wantedKinds(setup.settings))
})

/**
 * The notifications of this project, read when they are needed; undefined if none are configured. By default none.
 */
export const Notifications = Context.Reference<Effect.Effect<NotificationSetup | undefined>>(
  "@signalbox/core/spi/Notifications",
  { defaultValue: () => Effect.undefined }
)
