/**
 * Why a revision or a service is not ready, with what to do next; and pages of the console.
 */
import type { ProviderReason } from "@signalbox/core/spi"
import type { Place } from "../client/index.ts"
import { imageOf } from "./Record.ts"
import type { RunRevision, RunService } from "./RunService.ts"

const hints: Readonly<Record<string, (image: string) => string>> = {
  CONTAINER_MISSING: (image) => `Push the image: ${image}`,
  CONTAINER_PERMISSION_DENIED: (image) =>
    `Let the Cloud Run service agent read ${image} (roles/artifactregistry.reader).`,
  CONTAINER_IMAGE_UNAUTHORIZED: (image) =>
    `Binary Authorization does not admit ${image}: attest it, or change the policy.`,
  SECRETS_ACCESS_CHECK_FAILED: () =>
    "Let the service account of the service read its secrets (roles/secretmanager.secretAccessor).",
  HEALTH_CHECK_CONTAINER_ERROR: () => "The container has to listen on the port of its properties (default 8080).",
  ACTIVE_REVISION_LIMIT_REACHED: () => "Delete revisions that have traffic or a tag and are not needed."
}

/** What to do about a reason, if that is known. */
export const hintFor = (reason: string, image: string): string | undefined => hints[reason]?.(image)

/** The release is at fault: its revision does not become ready. `lines` are what it wrote last. */
export const brokenRevision = (
  { condition, logUri, name, template }: RunRevision,
  lines: ReadonlyArray<string>
): ProviderReason => {
  const why = condition.message === "" ? `${name} does not become ready: ${condition.reason}` : condition.message
  const hint = [
    hintFor(condition.reason, imageOf(template)),
    logUri === "" ? undefined : `Look at its log: ${logUri}`
  ].flatMap((line) => (line === undefined ? [] : [line]))
  return {
    _tag: "Broken",
    message: lines.length === 0 ? why : `${why} Its last lines: ${lines.join(" / ")}`,
    resource: name,
    ...(hint.length === 0 ? {} : { hint: hint.join(" ") })
  }
}

/** The first condition of a service that failed, as a sentence. */
export const failureOf = ({ conditions, terminal }: RunService): string | undefined => {
  const failed = conditions.find(({ state, type }) => state === "FAILED" && type === "RoutesReady") ?? terminal
  if (failed.state !== "FAILED") return undefined
  return failed.message === "" ? failed.reason : failed.message
}

/** The revisions of a service at the console. */
export const consolePage = ({ project, region }: Place, service: string): string =>
  `https://console.cloud.google.com/run/detail/${region}/${service}/revisions?project=${project}`
