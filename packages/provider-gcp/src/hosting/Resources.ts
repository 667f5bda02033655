/**
 * The resources of Firebase Hosting, with the fields that are looked at.
 */
import type { Json } from "@signalbox/core/spi"
import { millis, shortName } from "../client/index.ts"
import type { ApiAnswer } from "../client/index.ts"
import type { Labels } from "./Names.ts"

/** A version; `id` is the last part of its name. */
export interface HostingVersion {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly labels: Labels
  readonly config: Json
  readonly files: number
  readonly createdAt: number
}

/** A release. Without a version, it takes the site offline. */
export interface HostingRelease {
  readonly name: string
  readonly version: HostingVersion | null
  readonly type: string
  readonly message: string
  readonly at: number
  readonly by: string
}

export interface HostingChannel {
  readonly id: string
  readonly url: string
  readonly labels: Labels
  readonly release: HostingRelease | null
  readonly expiresAt: number | null
}

type Wire = ApiAnswer

export const versionFrom = (value: unknown): HostingVersion => {
  const wire = value as Wire
  return {
    id: shortName(wire["name"]),
    name: String(wire["name"] ?? ""),
    status: String(wire["status"] ?? ""),
    labels: (wire["labels"] ?? {}) as Labels,
    config: (wire["config"] ?? {}) as Json,
    files: Number(wire["fileCount"] ?? 0),
    createdAt: millis(wire["createTime"]) ?? 0
  }
}

export const releaseFrom = (value: unknown): HostingRelease => {
  const wire = value as Wire
  const type = String(wire["type"] ?? "")
  return {
    name: String(wire["name"] ?? ""),
    version: wire["version"] === undefined || type === "SITE_DISABLE" ? null : versionFrom(wire["version"]),
    type,
    message: String(wire["message"] ?? ""),
    at: millis(wire["releaseTime"]) ?? 0,
    by: String((wire["releaseUser"] as Wire | undefined)?.["email"] ?? "")
  }
}

export const channelFrom = (value: unknown): HostingChannel => {
  const wire = value as Wire
  return {
    id: shortName(wire["name"]),
    url: String(wire["url"] ?? ""),
    labels: (wire["labels"] ?? {}) as Labels,
    release: wire["release"] === undefined ? null : releaseFrom(wire["release"]),
    expiresAt: millis(wire["expireTime"])
  }
}
