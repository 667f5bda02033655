/**
 * The options of a channel of the kind `github`.
 */
import * as Schema from "effect/Schema"
import { allowed, channelOptions, isHttpUrl, SecretReference } from "../options/channelOptions.ts"

/**
 * The options of GitHub's deployments.
 *
 * *Details*:
 * - `repository` as `owner/name`
 * - `token` a reference to a token that may write deployments
 * - `ref` a branch, tag or commit, for executions that do not name their commit
 * - `endpoint` of the API (default `https://api.github.com`; of an own server `https://host/api/v3`), and `allow` as for
 *   webhooks
 */
export const GitHubOptions = Schema.Struct({
  repository: Schema.String.check(
    Schema.isPattern(/^[A-Za-z0-9-]{1,39}\/[\w.-]{1,100}$/, { expected: "owner/name of a repository" })
  ),
  token: SecretReference,
  ref: Schema.optionalKey(
    Schema.String.check(Schema.isPattern(/^[\w./-]{1,250}$/, { expected: "a branch, tag or commit" }))
  ),
  endpoint: Schema.optionalKey(Schema.String.check(isHttpUrl)),
  allow: allowed
})
export type GitHubOptions = typeof GitHubOptions.Type

export const gitHubOptions = channelOptions(GitHubOptions)
