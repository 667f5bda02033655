/**
 * Brings the files of a version to the platform: by their hashes first, and then the missing ones.
 */
import { reportProgress } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { SiteFailure } from "../SiteCalls.ts"
import { compressed, hashesOf } from "./FileContent.ts"
import type { SiteFile } from "./SiteFiles.ts"
import { fail, type SiteWork } from "../SiteWork.ts"

const batch = 1_000
const atOnce = 16

/** So many times is the progress of an upload reported, if it is not a matter of seconds. */
const reports = 10
const few = 100

const changed = ({ digest, path }: SiteFile, message: string): SiteFailure => ({
  _tag: "Changed",
  message: `${path} was changed while it was uploaded: ${message}`,
  field: path,
  was: digest,
  is: "another content"
})

/** What the platform knows a file by. Its content has to be the one that the plan knows. */
const hashOf = (one: SiteFile): Effect.Effect<string, SiteFailure> =>
  Effect.tryPromise({
    try: () => hashesOf(one.file, one.size),
    catch: (error) => changed(one, (error as Error).message)
  }).pipe(
    Effect.flatMap(({ hash, raw }) =>
      raw === one.digest ? Effect.succeed(hash) : Effect.fail(changed(one, "its content is another one now"))
    )
  )

/** The platform compares the content with its hash, and a file may be gone. */
const send = (
  { calls, mutation }: SiteWork,
  { hash, one, url }: { readonly hash: string; readonly one: SiteFile; readonly url: string }
): Effect.Effect<void, SiteFailure> =>
  calls
    .upload(url, { hash, size: one.size, body: () => compressed(one.file, one.size) }, mutation)
    .pipe(
      Effect.mapError((failure) =>
        failure._tag === "Invalid" || /ENOENT/.test(failure.message) ? changed(one, failure.message) : failure
      )
    )

export const upload = (
  work: SiteWork,
  version: string,
  files: ReadonlyArray<SiteFile>
): Effect.Effect<void, SiteFailure> =>
  Effect.gen(function* () {
    const { calls, mutation } = work
    // A file that is in the version under several paths is sent once.
    const missing = new Map<string, { readonly one: SiteFile; readonly url: string }>()
    for (let from = 0; from < files.length; from += batch) {
      const part = new Map<string, SiteFile>()
      const paths: Record<string, string> = {}
      for (const one of files.slice(from, from + batch)) {
        const hash = yield* hashOf(one)
        part.set(hash, one)
        paths[one.path] = hash
      }
      const { missing: hashes, url } = yield* calls.populate(version, paths, mutation)
      for (const hash of hashes) {
        const one = part.get(hash)
        if (one === undefined) {
          return yield* fail({
            _tag: "Unexpected",
            message: `version ${version} lacks a file that the site does not have`
          })
        }
        missing.set(hash, { one, url })
      }
    }
    if (missing.size === 0) return yield* reportProgress(mutation, `all ${files.length} files are there already`)
    yield* reportProgress(mutation, `upload ${missing.size} of ${files.length} files`)
    let done = 0
    yield* Effect.forEach(
      missing,
      ([hash, { one, url }]) =>
        Effect.gen(function* () {
          yield* send(work, { hash, one, url })
          done += 1
          if (missing.size < few || done === missing.size || done % Math.ceil(missing.size / reports) !== 0) return
          yield* reportProgress(mutation, `uploaded ${done} of ${missing.size} files`)
        }),
      { concurrency: atOnce, discard: true }
    )
    yield* reportProgress(mutation, `uploaded ${missing.size} files`)
  })
