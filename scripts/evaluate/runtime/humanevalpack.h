// The original's list without <boost/any.hpp> and <cstring>, with which the tests of CPP/23 call C's strlen instead of
// the solution. Programs in which they would not do so have <cstring> as well (scripts/evaluate/runners/programs.py).
#include <stdlib.h>
#include <algorithm>
#include <cmath>
#include <math.h>
#include <numeric>
#include <stdio.h>
#include <vector>
#include <set>
#include <map>
#include <queue>
#include <stack>
#include <list>
#include <deque>
#include <string>
#include <climits>
#include <iostream>
#include <sstream>
#include <fstream>
// For the tests.
#include <cassert>
using namespace std;
