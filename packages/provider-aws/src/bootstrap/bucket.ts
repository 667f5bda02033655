/**
 * The bucket of templates that are too long for a call, and its creation.
 */
import { Aws, type AwsOptions, awsReason } from "../client/index.ts"
import { StoreFailure } from "../dynamodb/StoreFailure.ts"

/** Whether S3 takes this as the name of a bucket. */
export const isBucketName = (name: string): boolean => /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name)

/** The same as a resource of CloudFormation. */
export const bucketResource = (bucket: string) => ({
  Type: "AWS::S3::Bucket",
  DeletionPolicy: "Retain",
  UpdateReplacePolicy: "Retain",
  Properties: {
    BucketName: bucket,
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true
    }
  }
})

/** Creates the bucket; tells whether it was missing. AWS encrypts new buckets, and keeps them private. */
export const createBucket = async (bucket: string, options: AwsOptions): Promise<boolean> => {
  const client = await new Aws(options).s3({})
  try {
    const region = await client.config.region()
    const place =
      region === "us-east-1" ? {} : { CreateBucketConfiguration: { LocationConstraint: region as "eu-west-1" } }
    await client.createBucket({ Bucket: bucket, ...place })
    return true
  } catch (error) {
    const { name } = error as Error
    if (name === "BucketAlreadyOwnedByYou") return false
    if (name === "BucketAlreadyExists") {
      throw new StoreFailure("Misconfigured", `the bucket ${bucket} belongs to another account: choose another name`)
    }
    const { _tag, message } = awsReason(error, "s3:CreateBucket")
    const reason =
      _tag === "Unavailable" || _tag === "Throttled" || _tag === "Expired" ? "Unavailable" : "Misconfigured"
    throw new StoreFailure(reason, `the bucket ${bucket} cannot be created: ${message}`)
  } finally {
    client.destroy()
  }
}
