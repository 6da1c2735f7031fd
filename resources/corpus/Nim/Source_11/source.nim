import strutils, sets

type
  Suit = enum clubs, diamonds, hearts, spades
  Card = object
    rank: int
    suit: Suit

proc parse(s: string): Card =
  const names = "23456789TJQKA"
  result.rank = names.find(s[0]) + 2
  result.suit = case s[1]
    of 'C': clubs
    of 'D': diamonds
    of 'H': hearts
    else: spades

proc judge(hand: seq[Card]): string =
  var ranks: array[15, int]
  var suits: set[Suit]
  for card in hand:
    inc ranks[card.rank]
    suits.incl card.suit
  var most, pairs, run, straight = 0
  for rank in 2 .. 14:
    most = max(most, ranks[rank])
    if ranks[rank] == 2: inc pairs
    run = if ranks[rank] > 0: run + 1 else: 0
    straight = max(straight, run)
  if straight == 5 and suits.card == 1: "straight flush"
  elif most == 4: "four of a kind"
  elif most == 3 and pairs == 1: "full house"
  elif suits.card == 1: "flush"
  elif straight == 5: "straight"
  elif most == 3: "three of a kind"
  elif pairs > 0: $pairs & " pair(s)"
  else: "nothing"

var seen = initHashSet[string]()
for line in stdin.lines:
  var hand: seq[Card]
  for word in line.splitWhitespace:
    hand.add parse(word)
  let verdict = judge(hand)
  echo verdict, (if seen.containsOrIncl(verdict): " again" else: "")
