package offsite

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// The examples that Amazon publishes for S3 ("Authenticating requests: using the
// Authorization header").
func TestSignaturesAreThoseOfThePublishedExamples(t *testing.T) {
	c := credentials{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	at := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	for sentence, x := range map[string]struct {
		method, url, body string
		header            map[string]string
		names, signature  string
	}{
		"get an object": {
			"GET", "https://examplebucket.s3.amazonaws.com/test.txt", "", map[string]string{"Range": "bytes=0-9"},
			"host;range;x-amz-content-sha256;x-amz-date", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
		},
		"put an object": {
			"PUT", "https://examplebucket.s3.amazonaws.com/test$file.text", "Welcome to Amazon S3.",
			map[string]string{"Date": "Fri, 24 May 2013 00:00:00 GMT", "X-Amz-Storage-Class": "REDUCED_REDUNDANCY"},
			"date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
		},
		"get the life cycle of a bucket": {
			"GET", "https://examplebucket.s3.amazonaws.com?lifecycle", "", nil,
			"host;x-amz-content-sha256;x-amz-date", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
		},
		"list objects": {
			"GET", "https://examplebucket.s3.amazonaws.com?max-keys=2&prefix=J", "", nil,
			"host;x-amz-content-sha256;x-amz-date", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			r, err := http.NewRequest(x.method, x.url, strings.NewReader(x.body))
			if err != nil {
				t.Fatal(err)
			}
			for name, v := range x.header {
				r.Header.Set(name, v)
			}
			sign(r, c, "us-east-1", sumOf([]byte(x.body)), at)
			want := "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=" + x.names + ",Signature=" + x.signature
			if got := r.Header.Get("Authorization"); got != want {
				t.Errorf("\n%s, want\n%s", got, want)
			}
		})
	}
}
