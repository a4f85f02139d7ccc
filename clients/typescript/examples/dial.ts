/**
 * List the contact item types, claim one attempt that may be dialed at once, and report it as not answered.
 *
 *     CALLHOPPER_ADDRESS=localhost:50051 npm run example
 */
import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ContactItemTypeService } from "../src/gen/callhopper/v1/contact_item_type_service_pb.js";
import {
  DialerService,
  OutcomeReportSchema,
  ReportResult_Answer,
} from "../src/gen/callhopper/v1/dialer_service_pb.js";
import { Outcome } from "../src/gen/callhopper/v1/types_pb.js";
import { create } from "@bufbuild/protobuf";

const address = process.env["CALLHOPPER_ADDRESS"] ?? "localhost:50051";
const token = process.env["CALLHOPPER_TOKEN"];

const withToken: Interceptor = (next) => (request) => {
  if (token) request.header.set("authorization", `Bearer ${token}`);
  return next(request);
};

const transport = createGrpcTransport({
  baseUrl: `${token ? "https" : "http"}://${address}`,
  interceptors: [withToken],
  defaultTimeoutMs: 60_000,
});

async function listTypes(types: Client<typeof ContactItemTypeService>): Promise<void> {
  let pageToken = "";
  do {
    const page = await types.listContactItemTypes({ pageToken });
    for (const itemType of page.contactItemTypes) {
      console.log(itemType.orderBy, itemType.displayName, itemType.colour);
    }
    pageToken = page.nextPageToken;
  } while (pageToken);
}

async function dialOne(dialer: Client<typeof DialerService>): Promise<void> {
  const claim = await dialer.claimAttempts({
    workerId: `typescript-example-${process.pid}`,
    maxAttempts: 1,
    begin: true,
    waitDuration: { seconds: 10n },
  });
  const attempt = claim.attempts[0];
  if (!attempt) {
    console.log("nothing is due");
    return;
  }
  console.log("dialing", attempt.number, attempt.contactItemTypeDisplayName);

  // Here the call is placed; leases are renewed while it lasts.

  const { attemptId, leaseToken } = attempt;
  const report = create(OutcomeReportSchema, {
    lease: { attemptId, leaseToken },
    outcome: Outcome.NO_ANSWER,
  });
  const answer = await dialer.reportOutcomes({ reports: [report] });
  for (const { answer: became, decision } of answer.results) {
    const seconds = decision?.nextCallIn?.seconds ?? 0n;
    console.log(`${ReportResult_Answer[became]}: next ${decision?.nextNumber} in ${seconds}s`);
  }
}

await listTypes(createClient(ContactItemTypeService, transport));
await dialOne(createClient(DialerService, transport));
