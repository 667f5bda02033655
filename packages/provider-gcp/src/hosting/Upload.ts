/**
 * Brings the files of a version to the platform: by their hashes first, and then the missing ones.
 */
import { reportProgress } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { SiteFailure } from "./SiteCalls.ts"
import { compressed, type SiteFile } from "./SiteFiles.ts"
import { fail, type SiteWork } from "./SiteWork.ts"

const batch = 1_000
const atOnce = 16

/** Files that are in the version under several paths are sent once. */
const byHash = (files: ReadonlyArray<SiteFile>): ReadonlyMap<string, SiteFile> =>
  new Map(files.map((file) => [file.hash, file]))

/** So many times is the progress of an upload reported, if it is not a matter of seconds. */
const reports = 10
const few = 100

/** The platform compares the content with its hash, and a file may be gone. */
const changed = (failure: SiteFailure, { hash, path }: SiteFile): SiteFailure =>
  failure._tag === "Invalid" || /ENOENT/.test(failure.message)
    ? {
        _tag: "Changed",
        message: `${path} was changed while it was uploaded: ${failure.message}`,
        field: path,
        was: hash,
        is: "another content"
      }
    : failure

const send = ({ calls, mutation }: SiteWork, url: string, one: SiteFile): Effect.Effect<void, SiteFailure> => {
  const { file, hash, size } = one
  return calls
    .upload(url, { hash, size, body: () => compressed(file, size) }, mutation)
    .pipe(Effect.mapError((failure) => changed(failure, one)))
}

export const upload = (
  work: SiteWork,
  version: string,
  files: ReadonlyArray<SiteFile>
): Effect.Effect<void, SiteFailure> =>
  Effect.gen(function* () {
    const { calls, mutation } = work
    const missing = new Map<string, string>()
    for (let from = 0; from < files.length; from += batch) {
      const part = files.slice(from, from + batch)
      const paths = Object.fromEntries(part.map(({ hash, path }) => [path, hash]))
      const { missing: hashes, url } = yield* calls.populate(version, paths, mutation)
      for (const hash of hashes) missing.set(hash, url)
    }
    if (missing.size === 0) return yield* reportProgress(mutation, `all ${files.length} files are there already`)
    yield* reportProgress(mutation, `upload ${missing.size} of ${files.length} files`)
    const known = byHash(files)
    let done = 0
    yield* Effect.forEach(
      missing,
      ([hash, url]) =>
        Effect.gen(function* () {
          const one = known.get(hash)
          if (one === undefined) {
            return yield* fail({
              _tag: "Unexpected",
              message: `version ${version} lacks a file that the site does not have`
            })
          }
          yield* send(work, url, one)
          done += 1
          if (missing.size < few || done === missing.size || done % Math.ceil(missing.size / reports) !== 0) return
          yield* reportProgress(mutation, `uploaded ${done} of ${missing.size} files`)
        }),
      { concurrency: atOnce, discard: true }
    )
    yield* reportProgress(mutation, `uploaded ${missing.size} files`)
  })
