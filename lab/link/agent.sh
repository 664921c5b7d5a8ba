# Reads one command a line, answers with lines that end in `ok` or `failed`.
#   allow ADDRESS PORT   the only places that this network may talk to, each way
#   cut ADDRESS PORT     drop everything to and from this server
#   lift ADDRESS PORT    let it pass again
#   name NAME ADDRESS    let a name stand for this address, and no longer for another one
#   tcp                  the kernel's table of TCP connections
set -u
only() { # nothing in or out but what is allowed below
  closed iptables || return 1
  if [ -e /proc/net/if_inet6 ]; then closed ip6tables || return 1; fi
  # The engine answers names inside this network, and passes on to the outside what it does not know.
  iptables -A OUTPUT -d 127.0.0.11 -j DROP && iptables -A INPUT -i lo -j ACCEPT && iptables -A OUTPUT -o lo -j ACCEPT
}
closed() { $1 -P INPUT DROP && $1 -P OUTPUT DROP && $1 -P FORWARD DROP; }
allow() {
  iptables -A OUTPUT -d "$1" -p tcp --dport "$2" -j ACCEPT && iptables -A INPUT -s "$1" -p tcp --sport "$2" -j ACCEPT
}
cut_link() { iptables -I OUTPUT -d "$1" -p tcp --dport "$2" -j DROP && iptables -I INPUT -s "$1" -p tcp --sport "$2" -j DROP; }
lift_link() { iptables -D OUTPUT -d "$1" -p tcp --dport "$2" -j DROP && iptables -D INPUT -s "$1" -p tcp --sport "$2" -j DROP; }

only && echo ok || echo failed
while read -r verb address port; do
  case $verb in
    allow) allow "$address" "$port" ;;
    cut) cut_link "$address" "$port" ;;
    lift) lift_link "$address" "$port" ;;
    name) hosts=$(grep -v " $address\$" /etc/hosts); printf '%s\n%s %s\n' "$hosts" "$port" "$address" >/etc/hosts ;;
    tcp) cat /proc/net/tcp && { [ ! -e /proc/net/tcp6 ] || cat /proc/net/tcp6; } ;;
    *) echo "unknown command $verb" >&2; false ;;
  esac && echo ok || echo failed
done
