// A program as it would be written for AWS: everything about the server is in the environment.
// node enrol.mjs COLLECTION PICTURE prints one JSON object.
import { readFile } from "node:fs/promises";
import * as sdk from "@aws-sdk/client-rekognition";

const [CollectionId, picture] = process.argv.slice(2);
const client = new sdk.RekognitionClient({});
const created = await client.send(new sdk.CreateCollectionCommand({ CollectionId }));
const indexed = await client.send(
  new sdk.IndexFacesCommand({
    CollectionId,
    Image: { Bytes: await readFile(picture) },
    ExternalImageId: "one.png",
    QualityFilter: "NONE",
  }),
);
const listed = await client.send(new sdk.ListFacesCommand({ CollectionId }));
const collections = [];
for await (const page of sdk.paginateListCollections({ client, pageSize: 1 }, {})) {
  collections.push(...page.CollectionIds);
}
let again;
try {
  await client.send(new sdk.CreateCollectionCommand({ CollectionId }));
} catch (error) {
  if (!(error instanceof sdk.ResourceAlreadyExistsException)) throw error;
  again = { status: error.$metadata.httpStatusCode, message: error.message };
}
console.log(JSON.stringify({ created, indexed, listed, collections, again }));
