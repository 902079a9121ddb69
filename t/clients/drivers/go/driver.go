// SPDX-License-Identifier: MIT
// Copyright the co-hostd authors

// The client of Socket.IO for Go, unmodified: see t/clients/Driver.pm.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/zishang520/socket.io/clients/socket/v3"
	"github.com/zishang520/socket.io/v3/pkg/types"
)

var (
	began = time.Now()
	mutex sync.Mutex
)

func tell(ev string, args []any) {
	line, err := json.Marshal(map[string]any{"t": time.Since(began).Milliseconds(), "ev": ev, "args": args})
	if err != nil {
		panic(err)
	}
	mutex.Lock()
	defer mutex.Unlock()
	fmt.Println(string(line))
}

func message(text string) map[string]any {
	return map[string]any{"type": "message", "source": "user", "message": text}
}

func main() {
	opts := socket.DefaultOptions()
	query, err := url.ParseQuery(os.Args[2])
	if err != nil {
		panic(err)
	}
	opts.SetQuery(query)
	opts.SetReconnectionDelay(100)
	opts.SetReconnectionDelayMax(500)
	switch os.Args[3] {
	case "ws":
		opts.SetTransports(types.NewSet(socket.WebSocket))
	case "polling":
		opts.SetTransports(types.NewSet(socket.Polling))
	}
	client, err := socket.Connect(os.Args[1], opts)
	if err != nil {
		panic(err)
	}
	client.On("connect", func(...any) { tell("connect", nil) })
	client.On("disconnect", func(args ...any) { tell("disconnect", []any{fmt.Sprint(args...)}) })
	client.On("connect_error", func(args ...any) { tell("error", []any{fmt.Sprint(args...)}) })
	client.On("oh_event", func(args ...any) { tell("event", args) })
	ack := func(args []any, err error) { tell("ack", args) }
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "say":
			_ = client.Emit("oh_user_action", message(rest))
		case "ack":
			client.EmitWithAck("oh_user_action", message(rest))(ack)
		case "bin":
			n, _ := strconv.Atoi(rest)
			client.EmitWithAck("other", make([]byte, n))(ack)
		case "leave":
			client.Disconnect()
			time.Sleep(300 * time.Millisecond)
			os.Exit(0)
		}
	}
}
