// Command dial lists the contact item types, claims one attempt that it may dial at once, and reports it as not answered.
//
//	CALLHOPPER_ADDRESS=localhost:50051 go run ./examples/dial
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/durationpb"

	callhopperv1 "callhopper/clients/go/callhopper/v1"
)

// Repeats calls that never reached a server, and spreads calls over the servers behind one name.
const serviceConfig = `{
  "loadBalancingConfig": [{"round_robin": {}}],
  "methodConfig": [{
    "name": [{}],
    "waitForReady": true,
    "retryPolicy": {
      "maxAttempts": 4,
      "initialBackoff": "0.05s",
      "maxBackoff": "1s",
      "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }]
}`

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	address := os.Getenv("CALLHOPPER_ADDRESS")
	if address == "" {
		address = "localhost:50051"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()

	transport := insecure.NewCredentials()
	if token := os.Getenv("CALLHOPPER_TOKEN"); token != "" {
		transport = credentials.NewTLS(nil)
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	}
	channel, err := grpc.NewClient(
		address,
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(serviceConfig),
	)
	if err != nil {
		return err
	}
	defer channel.Close()

	if err := listTypes(ctx, callhopperv1.NewContactItemTypeServiceClient(channel)); err != nil {
		return fmt.Errorf("listing item types: %w", err)
	}
	if err := dialOne(ctx, callhopperv1.NewDialerServiceClient(channel)); err != nil {
		return fmt.Errorf("dialing: %w", err)
	}
	return nil
}

func listTypes(ctx context.Context, types callhopperv1.ContactItemTypeServiceClient) error {
	request := &callhopperv1.ListContactItemTypesRequest{}
	for {
		page, err := types.ListContactItemTypes(ctx, request)
		if err != nil {
			return err
		}
		for _, itemType := range page.GetContactItemTypes() {
			fmt.Printf("%d  %s  %s\n", itemType.GetOrderBy(), itemType.GetDisplayName(), itemType.GetColour())
		}
		if page.GetNextPageToken() == "" {
			return nil
		}
		request.PageToken = page.GetNextPageToken()
	}
}

func dialOne(ctx context.Context, dialer callhopperv1.DialerServiceClient) error {
	claim, err := dialer.ClaimAttempts(ctx, &callhopperv1.ClaimAttemptsRequest{
		WorkerId:     fmt.Sprintf("go-example-%d", os.Getpid()),
		MaxAttempts:  1,
		Begin:        true,
		WaitDuration: durationpb.New(10 * time.Second),
	})
	if err != nil {
		return err
	}
	if len(claim.GetAttempts()) == 0 {
		fmt.Println("nothing is due")
		return nil
	}
	attempt := claim.GetAttempts()[0]
	fmt.Printf("dialing %s %s\n", attempt.GetNumber(), attempt.GetContactItemTypeDisplayName())

	// Here the call is placed; leases are renewed while it lasts.

	report, err := dialer.ReportOutcomes(ctx, &callhopperv1.ReportOutcomesRequest{
		Reports: []*callhopperv1.OutcomeReport{{
			Lease: &callhopperv1.Lease{
				AttemptId:  attempt.GetAttemptId(),
				LeaseToken: attempt.GetLeaseToken(),
			},
			Outcome: callhopperv1.Outcome_OUTCOME_NO_ANSWER,
		}},
	})
	if err != nil {
		return err
	}
	for _, result := range report.GetResults() {
		decision := result.GetDecision()
		fmt.Printf("%s: next %s in %s\n", result.GetAnswer(), decision.GetNextNumber(), decision.GetNextCallIn().AsDuration())
	}
	return nil
}
