// SPDX-License-Identifier: Apache-2.0
// C++: exceptions through frames and threads, thread-safe statics, futures,
// condition variables, streams, destructors at exit.
#include <condition_variable>
#include <fstream>
#include <future>
#include <iostream>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {
struct Noisy {
	std::string name;
	explicit Noisy(std::string n) : name(std::move(n)) { std::cout << "+" << name << "\n"; }
	~Noisy() { std::cout << "-" << name << "\n"; }
};
Noisy global("global");

Noisy &lazy()
{
	static Noisy n("lazy");
	return n;
}

int thrower(int depth)
{
	Noisy n("frame " + std::to_string(depth));
	if (depth == 0)
		throw std::runtime_error("thrown");
	return thrower(depth - 1);
}
} // namespace

int main()
{
	try {
		thrower(2);
	} catch (const std::exception &e) {
		std::cout << "caught " << e.what() << "\n";
	}
	std::vector<std::thread> threads;
	std::mutex m;
	std::map<int, int> sums;
	for (int i = 0; i < 4; i++)
		threads.emplace_back([&, i] {
			lazy();
			for (int k = 0; k < 100; k++) {
				std::lock_guard<std::mutex> lock(m);
				sums[i] += k;
			}
			try {
				throw i;
			} catch (int v) {
				std::lock_guard<std::mutex> lock(m);
				sums[i] += v;
			}
		});
	for (auto &t : threads)
		t.join();
	for (auto &s : sums)
		std::cout << s.first << " " << s.second << "\n";
	auto f = std::async(std::launch::async, [] {
		throw std::logic_error("from a future");
		return 1;
	});
	try {
		f.get();
	} catch (const std::logic_error &e) {
		std::cout << e.what() << "\n";
	}
	std::condition_variable cv;
	int ready = 0;
	std::thread t([&] {
		std::unique_lock<std::mutex> lock(m);
		ready = 1;
		cv.notify_one();
		cv.wait(lock, [&] { return ready == 2; });
	});
	{
		std::unique_lock<std::mutex> lock(m);
		cv.wait(lock, [&] { return ready == 1; });
		ready = 2;
	}
	cv.notify_one();
	t.join();
	std::ofstream("out.txt") << "line " << 3.25 << std::endl;
	std::ifstream in("out.txt");
	std::string line;
	std::getline(in, line);
	std::cout << line << std::endl;
	return 0;
}
