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
 * Configured notifications.
 *
 * *Details*: `deploymentId` restricts a process to its own deployment, where a store is shared with other projects.
 * `notable` are the tags of events that notifications follow from.
 */
export interface NotificationSetup {
  readonly settings: NotificationsSpec
  readonly kinds: ReadonlyMap<string, NotifierKind>
  readonly notable: ReadonlySet<EventTag>
  readonly deploymentId?: string | undefined
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
