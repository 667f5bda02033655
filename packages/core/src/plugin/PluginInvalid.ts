import * as Schema from "effect/Schema"
import type { EdgeError } from "../domain/errors/index.ts"

/**
 * A plug-in that cannot be used.
 *
 * *Details*: `plugin_missing` it is not installed · `plugin_broken` it fails to load, or is none · `plugin_incompatible`
 * it is older or newer than this Signalbox · `plugin_conflict` another one brings the same.
 *
 * *Errors*: not retryable; nothing was written or called.
 */
export class PluginInvalid extends Schema.TaggedError<PluginInvalid>()("PluginInvalid", {
  code: Schema.Literals(["plugin_missing", "plugin_broken", "plugin_incompatible", "plugin_conflict"]),
  plugin: Schema.String,
  detail: Schema.String,
  hint: Schema.String
}) {
  override get message(): string {
    return `plug-in ${this.plugin}: ${this.detail}`
  }

  /** How every surface shows it. */
  get info(): EdgeError {
    return { code: this.code, message: this.message, hint: this.hint, path: "plugins" }
  }
}
